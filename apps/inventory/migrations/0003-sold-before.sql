-- What was sold by reservations that are deleted, by SKU: with the items of sold reservations it is all that `stock` has as sold.
CREATE TABLE sold_before (
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  quantity BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;
