-- Whoever has ordered. The lock of an account's row makes its orders be counted one after another. `closed_at`: nothing is ordered any more.
-- `sweep_at`: when to look for addresses of its orders that are to be erased. NULL: there is none.
CREATE TABLE shoppers (
  account_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  closed_at DATETIME(3) NULL,
  sweep_at DATETIME(3) NULL,
  KEY sweeping (sweep_at)
) ENGINE=InnoDB;

-- `units`: of all lines; orders from before hold none that count.
ALTER TABLE orders
  ADD COLUMN units INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN address_erased BOOLEAN NOT NULL DEFAULT FALSE,
  ADD KEY unpaid_of_account (account_id, status, units);
