-- What an order costs, part by part, as it was quoted; orders from before that have none.
ALTER TABLE orders ADD COLUMN quote JSON NULL;
