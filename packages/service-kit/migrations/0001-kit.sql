CREATE TABLE outbox (
  seq BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  topic VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_key VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  data JSON NOT NULL,
  traceparent VARCHAR(55) CHARACTER SET ascii NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  sent BOOLEAN NOT NULL DEFAULT FALSE,
  attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  claimed_until DATETIME(3) NOT NULL DEFAULT '2000-01-01 00:00:00',
  KEY pending (sent, seq),
  KEY pending_of_key (event_key, sent, seq),
  KEY age (sent, created_at)
) ENGINE=InnoDB;

CREATE TABLE inbox (
  event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  topic VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  handled_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY age (handled_at)
) ENGINE=InnoDB;

CREATE TABLE idempotency_keys (
  scope VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  claimed_until DATETIME(3) NOT NULL,
  status SMALLINT UNSIGNED NULL,
  body MEDIUMTEXT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (scope, idempotency_key),
  KEY age (created_at)
) ENGINE=InnoDB;
