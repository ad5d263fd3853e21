ALTER TABLE accounts
  ADD COLUMN locale VARCHAR(5) CHARACTER SET ascii NOT NULL DEFAULT 'en',
  ADD COLUMN confirmed_at DATETIME(3) NULL;

CREATE TABLE sessions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_agent VARCHAR(300) CHARACTER SET utf8mb4 NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  last_used_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  end_reason VARCHAR(20) CHARACTER SET ascii NULL,
  KEY live_of_account (account_id, ended_at, id),
  KEY expiry (expires_at),
  KEY ending (ended_at),
  CONSTRAINT session_of_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) ENGINE=InnoDB;

CREATE TABLE refresh_tokens (
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issued_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  used_at DATETIME(3) NULL,
  KEY of_session (session_id),
  CONSTRAINT refresh_token_of_session FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE addresses (
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content JSON NOT NULL,
  saved_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (account_id, id),
  CONSTRAINT address_of_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB;

-- A link in a mail, and the mail itself: its token is derived from the id, so nothing here opens anything.
CREATE TABLE mail_links (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purpose VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at DATETIME(3) NOT NULL,
  used_at DATETIME(3) NULL,
  mailed BOOLEAN NOT NULL DEFAULT FALSE,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  next_attempt_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY due (mailed, next_attempt_at),
  KEY of_account (account_id, purpose, created_at),
  KEY expiry (expires_at),
  CONSTRAINT link_of_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
) ENGINE=InnoDB;

CREATE TABLE sign_in_attempts (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  network VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- SHA-256: also of addresses that have no account.
  email_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- One that succeeds is deleted; one that is neither is under way.
  failed BOOLEAN NOT NULL DEFAULT FALSE,
  at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY of_address (address, at),
  KEY of_email (email_hash, network, at),
  KEY age (at)
) ENGINE=InnoDB;

CREATE TABLE sign_in_bans (
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  until DATETIME(3) NOT NULL,
  KEY age (until)
) ENGINE=InnoDB;
