-- A product's id has one spelling now, here as in the catalog.
UPDATE IGNORE offered_products SET product_id = LOWER(product_id) WHERE product_id <> LOWER(product_id);

UPDATE IGNORE offers SET product_id = LOWER(product_id) WHERE product_id <> LOWER(product_id);
