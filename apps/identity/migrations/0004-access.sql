-- The access state, as every replica copies it: a map whose entries have the version that changed them last. A value of NULL
-- is an entry that is gone. One row counts the versions; its lock puts all changes into one order.
CREATE TABLE access_version (
  one TINYINT PRIMARY KEY CHECK (one = 1),
  version BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;

CREATE TABLE access_entries (
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  value JSON NULL,
  version BIGINT UNSIGNED NOT NULL,
  expires_at DATETIME(3) NULL,
  PRIMARY KEY (kind, id),
  KEY version (version),
  KEY expires_at (expires_at)
) ENGINE=InnoDB;

INSERT INTO access_version (one, version) VALUES (1, 1);

-- Roles move here from the accounts; the column stays for the version that runs beside this one.
INSERT INTO access_entries (kind, id, value, version)
SELECT 'grant', CONCAT(id, ' operator'), JSON_OBJECT('account', id, 'role', 'operator'), 1
FROM accounts WHERE JSON_CONTAINS(roles, '"operator"');
