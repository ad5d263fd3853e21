-- What was short when the order of a released reservation was told that it cannot be fulfilled: it is not sold any more.
ALTER TABLE reservations ADD COLUMN shortages JSON NULL;
