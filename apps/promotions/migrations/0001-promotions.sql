-- `used` and `spent` are the sums of live redemptions, which is those that are held or confirmed; `changed_at` is by the database's own
-- clock, and no redemption moves it. The limits of a version never change.
CREATE TABLE promotions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  triggered_by VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  uses_limit BIGINT NULL,
  customer_limit BIGINT NULL,
  budget BIGINT NULL,
  used BIGINT NOT NULL DEFAULT 0,
  spent BIGINT NOT NULL DEFAULT 0,
  content MEDIUMTEXT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  updated_at DATETIME(3) NOT NULL,
  changed_at DATETIME(3) NOT NULL,
  CONSTRAINT promotion_content_is_json CHECK (JSON_VALID(content)),
  CONSTRAINT promotion_never_negative CHECK (used >= 0 AND spent >= 0),
  CONSTRAINT promotion_within_limits CHECK (used <= COALESCE(uses_limit, used) AND spent <= COALESCE(budget, spent)),
  KEY changes (changed_at, id)
) ENGINE=InnoDB;

-- A code is its promotion's for ever: one that is withdrawn stays, as `deleted`.
CREATE TABLE codes (
  code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  promotion CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  batch CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  uses_limit BIGINT NULL,
  customer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  used BIGINT NOT NULL DEFAULT 0,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT code_status CHECK (status IN ('active', 'paused', 'deleted')),
  CONSTRAINT code_never_negative CHECK (used >= 0),
  CONSTRAINT code_within_limit CHECK (used <= COALESCE(uses_limit, used)),
  KEY of_promotion (promotion, code),
  KEY of_batch (batch, code)
) ENGINE=InnoDB;

CREATE TABLE code_batches (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  promotion CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content TEXT NOT NULL,
  wanted INT NOT NULL,
  made INT NOT NULL DEFAULT 0,
  is_made BOOLEAN NOT NULL DEFAULT FALSE,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT batch_is_json CHECK (JSON_VALID(content)),
  CONSTRAINT batch_made CHECK (made <= wanted AND is_made = (made = wanted)),
  KEY of_promotion (promotion, id),
  KEY unmade (is_made, id)
) ENGINE=InnoDB;

-- `ask_at`: when orders is asked what became of the order; null when that is known for good.
CREATE TABLE redemptions (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  customer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  ask_at DATETIME(3) NULL,
  released_at DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  CONSTRAINT redemption_status CHECK (status IN ('held', 'confirmed', 'released')),
  CONSTRAINT redemption_released CHECK ((status = 'released') = (released_at IS NOT NULL)),
  KEY unsettled (ask_at),
  KEY ended (released_at)
) ENGINE=InnoDB;

CREATE TABLE redemption_uses (
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  promotion CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (order_id, promotion),
  CONSTRAINT use_never_negative CHECK (amount >= 0)
) ENGINE=InnoDB;

CREATE TABLE customer_uses (
  promotion CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (promotion, customer),
  CONSTRAINT customer_never_negative CHECK (used >= 0)
) ENGINE=InnoDB;

-- Codes that a customer asked for and that were not found, since the window began that ends at `until`.
CREATE TABLE code_guesses (
  customer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  guesses INT NOT NULL,
  until DATETIME(3) NOT NULL,
  KEY ended (until)
) ENGINE=InnoDB;
