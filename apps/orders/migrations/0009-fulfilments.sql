-- What became of confirmed orders: a row from the first parcel, cancelled line or refund on.
CREATE TABLE fulfilments (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  state JSON NOT NULL,
  -- When payments is asked what became of refunds that are due. NULL: none is.
  ask_at DATETIME(3) NULL,
  KEY asking (ask_at)
) ENGINE=InnoDB;

-- Where what a carrier says of a parcel belongs: one parcel may hold several orders.
CREATE TABLE shipments (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  carrier VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tracking_number VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  shipped_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY tracked (carrier, tracking_number, shipped_at)
) ENGINE=InnoDB;

-- Sellers of the lines of confirmed orders; open while the seller has something to send.
CREATE TABLE seller_orders (
  seller_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  is_open BOOLEAN NOT NULL DEFAULT TRUE,
  PRIMARY KEY (seller_id, order_id),
  KEY open_orders (seller_id, is_open, order_id)
) ENGINE=InnoDB;

-- Who acts for which seller.
CREATE TABLE seller_accounts (
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seller_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (account_id, seller_id)
) ENGINE=InnoDB;
