-- What invoices say of the seller, in the first database.
CREATE TABLE invoicing (
  id TINYINT UNSIGNED PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  content JSON NOT NULL,
  updated_at DATETIME(3) NULL,
  -- This database in the numbers of its documents; and in the first one, how many have such a code.
  code SMALLINT UNSIGNED NULL,
  codes_given SMALLINT UNSIGNED NOT NULL
) ENGINE=InnoDB;

INSERT INTO invoicing (id, version, content, codes_given) VALUES (1, 0, '{"timeZone": "UTC", "language": "en"}', 0);

-- What has no document yet. `subject`: an order for its invoice, a refund that is done for its credit note.
CREATE TABLE documents_due (
  subject CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  due_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY due (due_at),
  KEY of_order (order_id)
) ENGINE=InnoDB;

-- How many documents of a series are issued. Its row is locked while one is, so no number is left out or given twice.
CREATE TABLE invoice_series (
  series VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  issued INT UNSIGNED NOT NULL
) ENGINE=InnoDB;

-- Invoices and credit notes as they were issued.
CREATE TABLE invoices (
  series VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position INT UNSIGNED NOT NULL,
  subject CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  document JSON NOT NULL,
  issued_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (series, position),
  UNIQUE KEY of_subject (subject),
  KEY of_order (order_id)
) ENGINE=InnoDB;
