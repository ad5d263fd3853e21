CREATE TABLE stock (
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  received BIGINT NOT NULL DEFAULT 0,
  available BIGINT NOT NULL DEFAULT 0,
  reserved BIGINT NOT NULL DEFAULT 0,
  sold BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT stock_never_negative CHECK (available >= 0 AND reserved >= 0 AND sold >= 0),
  CONSTRAINT stock_adds_up CHECK (received = available + reserved + sold)
) ENGINE=InnoDB;

CREATE TABLE adjustments (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  delta BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  adjusted_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  adjusted_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY of_sku (sku)
) ENGINE=InnoDB;

CREATE TABLE reservations (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT reservation_status CHECK (status IN ('held', 'released', 'sold')),
  KEY expiring (status, expires_at)
) ENGINE=InnoDB;

CREATE TABLE reservation_items (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity INT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, sku)
) ENGINE=InnoDB;
