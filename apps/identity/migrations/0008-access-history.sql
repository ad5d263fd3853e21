-- The name that each version of the access state got when it was made. A database that went back to a back-up gives the next
-- versions other names, so that a replica which holds one of the lost versions is known by it.
CREATE TABLE access_history (
  version BIGINT UNSIGNED PRIMARY KEY,
  mark CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY age (at)
) ENGINE=InnoDB;

INSERT INTO access_history (version, mark) SELECT version, UUID() FROM access_version;
