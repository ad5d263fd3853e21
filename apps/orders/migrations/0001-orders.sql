CREATE TABLE orders (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  total BIGINT NOT NULL,
  order_lines JSON NOT NULL,
  shipping_address JSON NOT NULL,
  history JSON NOT NULL,
  cancel_reason VARCHAR(20) CHARACTER SET ascii NULL,
  payment_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  payment_status VARCHAR(20) CHARACTER SET ascii NULL,
  placed_at DATETIME(3) NOT NULL,
  pay_before DATETIME(3) NOT NULL,
  CONSTRAINT order_status CHECK (status IN ('pending-payment', 'paid', 'confirmed', 'cancelled')),
  CONSTRAINT order_total CHECK (total >= 0),
  KEY of_account (account_id, id),
  KEY unpaid (status, pay_before)
) ENGINE=InnoDB;

-- What orders knows of the catalog, from product.changed.
CREATE TABLE offered_products (
  product_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  version INT UNSIGNED NOT NULL
) ENGINE=InnoDB;

CREATE TABLE offers (
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  product_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  title JSON NOT NULL,
  unit_price BIGINT NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  KEY of_product (product_id)
) ENGINE=InnoDB;
