-- Up to when, by catalog's clock, its changes were read.
CREATE TABLE catalog_feed (
  id TINYINT UNSIGNED PRIMARY KEY,
  read_until DATETIME(3) NULL
) ENGINE=InnoDB;

INSERT INTO catalog_feed (id, read_until) VALUES (1, NULL);
