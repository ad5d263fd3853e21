-- An id has one spelling now. Where both were used they stay two: each has had its effect.
UPDATE IGNORE adjustments SET id = LOWER(id) WHERE id <> LOWER(id);
