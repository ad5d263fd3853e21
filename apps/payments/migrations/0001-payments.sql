CREATE TABLE payments (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The order, while this payment holds or may come to hold its money: at most one payment an order.
  live_order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  charge_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  decline_code VARCHAR(64) CHARACTER SET ascii NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT payment_status CHECK (status IN ('processing', 'captured', 'declined', 'refund-due', 'refunded')),
  KEY of_order (order_id, id),
  KEY open_payments (status, created_at)
) ENGINE=InnoDB;

CREATE TABLE refunds (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  payment_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  done BOOLEAN NOT NULL DEFAULT FALSE,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  next_attempt_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY due (done, next_attempt_at)
) ENGINE=InnoDB;

-- Double entry: the lines of a transaction sum to zero. A transaction's id is the payment's or the refund's, so it is written once.
CREATE TABLE ledger_entries (
  transaction_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  account VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  written_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (transaction_id, account),
  KEY of_order (order_id),
  KEY balance (account, currency, amount)
) ENGINE=InnoDB;

CREATE TABLE reconciliation (
  id TINYINT UNSIGNED PRIMARY KEY,
  after_charge VARCHAR(64) CHARACTER SET ascii NULL
) ENGINE=InnoDB;

INSERT INTO reconciliation (id, after_charge) VALUES (1, NULL);
