ALTER TABLE outbox
  ADD COLUMN relay CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY pending_of_relay (relay, sent, seq);
