-- An id has one spelling now. Where both were used the other stays, and cannot be asked for.
UPDATE IGNORE addresses SET id = LOWER(id) WHERE id <> LOWER(id);
