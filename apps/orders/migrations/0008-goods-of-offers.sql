-- What taxes, delivery and promotions go by. `seller` NULL: written before this, or by a version before it; catalog is read anew then.
ALTER TABLE offers
  ADD COLUMN seller CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN category VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN tax_class VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'standard',
  ADD COLUMN weight_grams INT UNSIGNED NOT NULL DEFAULT 0,
  ADD KEY of_seller (seller);
