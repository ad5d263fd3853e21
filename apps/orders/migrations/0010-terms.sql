-- What an order costs beyond the prices of its goods: markets, taxes, delivery; orders' own.
CREATE TABLE pricing (
  id TINYINT UNSIGNED PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  content JSON NOT NULL,
  updated_at DATETIME(3) NULL
) ENGINE=InnoDB;

INSERT INTO pricing (id, version, content) VALUES (1, 0, '{"markets": [], "taxZones": []}');

-- What orders knows of promotions, from promotion.changed. `ends_at`: it is never in force again then.
CREATE TABLE promotions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  ends_at DATETIME(3) NOT NULL,
  content JSON NOT NULL,
  KEY in_force (status, ends_at)
) ENGINE=InnoDB;

CREATE TABLE promotions_feed (
  id TINYINT UNSIGNED PRIMARY KEY,
  read_until DATETIME(3) NULL
) ENGINE=InnoDB;

INSERT INTO promotions_feed (id, read_until) VALUES (1, NULL);

-- The name of the state of both, another one after each change: what is kept in memory under it is up to date.
CREATE TABLE terms (
  id TINYINT UNSIGNED PRIMARY KEY,
  mark CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB;

INSERT INTO terms (id, mark) VALUES (1, 'none');
