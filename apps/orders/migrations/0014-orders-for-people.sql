-- What people call an order. NULL: it is from before that, or by a version before it, and gets one in the background.
ALTER TABLE orders
  ADD COLUMN number CHAR(12) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD UNIQUE KEY number (number),
  ADD KEY by_status (status, placed_at),
  ADD KEY by_time (placed_at);

-- What never changes of an order, and people look for it by: a row for each account, SKU, seller, currency and code.
CREATE TABLE order_index (
  kind VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  value VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  placed_at DATETIME(3) NOT NULL,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (kind, value, placed_at, order_id)
) ENGINE=InnoDB;

CREATE TABLE order_notes (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  author CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  text TEXT CHARACTER SET utf8mb4 NOT NULL,
  created_at DATETIME(3) NOT NULL,
  trace_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (order_id, id)
) ENGINE=InnoDB;

-- What happened to parcels, lines and refunds of an order, as it happened: beside its own history.
CREATE TABLE order_steps (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  what VARCHAR(30) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  about CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  at DATETIME(3) NOT NULL,
  trace_id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (order_id, seq),
  KEY seq (seq)
) ENGINE=InnoDB;
