-- One account from one address, after too many failures. SHA-256 of the account's address: also of those that have no account.
CREATE TABLE sign_in_holds (
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  email_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until DATETIME(3) NOT NULL,
  PRIMARY KEY (email_hash, address),
  KEY age (until)
) ENGINE=InnoDB;
