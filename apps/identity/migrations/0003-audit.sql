CREATE TABLE audit_entries (
  seq BIGINT UNSIGNED PRIMARY KEY,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  at DATETIME(3) NOT NULL,
  actor VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  action VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  outcome VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii NOT NULL,
  trace_id VARCHAR(32) CHARACTER SET ascii NOT NULL,
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  KEY of_actor (actor, seq),
  KEY of_object (object, seq),
  KEY of_action (action, seq),
  KEY age (at)
) ENGINE=InnoDB;

-- One row: the end of the chain. Its lock puts appends in order.
CREATE TABLE audit_head (
  one TINYINT UNSIGNED PRIMARY KEY DEFAULT 1,
  seq BIGINT UNSIGNED NOT NULL,
  hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  CONSTRAINT one_head CHECK (one = 1)
) ENGINE=InnoDB;

INSERT INTO audit_head (seq, hash) VALUES (0, REPEAT('0', 64));
