-- When an order that waits for an answer of inventory (paid) or payments (a refund is due) asks for it. NULL: it waits for nothing.
ALTER TABLE orders ADD COLUMN ask_at DATETIME(3) NULL, ADD KEY asking (status, ask_at);

UPDATE orders SET ask_at = NOW(3) WHERE status = 'paid' OR payment_status = 'refund-due';
