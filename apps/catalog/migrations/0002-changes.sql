-- By the database's own clock, whichever replica writes.
ALTER TABLE products
  ADD COLUMN changed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  ADD KEY changes (changed_at, id);
