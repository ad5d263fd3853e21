-- A SKU that moves from one product to another is for a moment both products': events come in any order.
ALTER TABLE offers
  ADD COLUMN changed_at DATETIME(3) NOT NULL DEFAULT '2000-01-01 00:00:00',
  DROP PRIMARY KEY,
  ADD PRIMARY KEY (sku, product_id);
