-- Returns, beside the fulfilments of which they are parts: for lists, and for whoever looks after their workflows.
CREATE TABLE returns (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  order_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- When it lapses. NULL: it is not waited for.
  until_at DATETIME(3) NULL,
  -- When its workflow is looked after. NULL: it is over and its workflow deleted.
  tend_at DATETIME(3) NULL,
  KEY by_status (status, id),
  KEY tending (tend_at)
) ENGINE=InnoDB;
