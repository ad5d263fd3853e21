-- When orders is asked whether it knows of a captured payment. NULL: it does.
ALTER TABLE payments
  ADD COLUMN ask_at DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3),
  ADD KEY asking (status, ask_at);
