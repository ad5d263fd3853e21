-- Parts of a payment that go back, under ids that orders gives. What is asked for is taken from the payment at once, so that never
-- more is given back than was captured; a refund of the payment itself is of the rest.
ALTER TABLE payments
  ADD COLUMN partly_refunded BIGINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT refunded_in_part CHECK (partly_refunded >= 0 AND partly_refunded <= amount);

CREATE TABLE partial_refunds (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  payment_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  done BOOLEAN NOT NULL DEFAULT FALSE,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  next_attempt_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT partial_refund_amount CHECK (amount > 0),
  KEY of_payment (payment_id),
  KEY due (done, next_attempt_at)
) ENGINE=InnoDB;
