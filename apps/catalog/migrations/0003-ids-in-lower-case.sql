-- An id has one spelling now. Where both were used the other stays, and cannot be asked for.
SET SESSION foreign_key_checks = 0;

UPDATE IGNORE sellers SET id = LOWER(id) WHERE id <> LOWER(id);

UPDATE products SET
  summary = REPLACE(summary, CONCAT('"', seller, '"'), CONCAT('"', LOWER(seller), '"')),
  content = REPLACE(content, CONCAT('"', seller, '"'), CONCAT('"', LOWER(seller), '"')),
  seller = LOWER(seller)
WHERE seller <> LOWER(seller);

UPDATE IGNORE products SET
  summary = REPLACE(summary, CONCAT('"', id, '"'), CONCAT('"', LOWER(id), '"')),
  id = LOWER(id)
WHERE id <> LOWER(id);

UPDATE product_skus SET product = LOWER(product) WHERE product <> LOWER(product);

SET SESSION foreign_key_checks = 1;
