-- Confirmed orders, and refunds of them that are done, which no figure holds yet. `subject`: the order, or the refund.
CREATE TABLE sales_due (
  subject CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB;

-- What was sold, and what of that went back, by the day (UTC) on which the order was confirmed. Deliveries have no SKU, category and seller.
CREATE TABLE sales (
  day DATE NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seller VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  category VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sold_units BIGINT NOT NULL,
  sold_discount BIGINT NOT NULL,
  sold_net BIGINT NOT NULL,
  sold_tax BIGINT NOT NULL,
  sold_gross BIGINT NOT NULL,
  back_units BIGINT NOT NULL,
  back_discount BIGINT NOT NULL,
  back_net BIGINT NOT NULL,
  back_tax BIGINT NOT NULL,
  back_gross BIGINT NOT NULL,
  PRIMARY KEY (day, currency, country, seller, category, sku)
) ENGINE=InnoDB;

-- What promotions took off orders of a day.
CREATE TABLE promotion_sales (
  day DATE NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  country CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  promotion_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  orders INT UNSIGNED NOT NULL,
  discount BIGINT NOT NULL,
  PRIMARY KEY (day, currency, country, promotion_id)
) ENGINE=InnoDB;
