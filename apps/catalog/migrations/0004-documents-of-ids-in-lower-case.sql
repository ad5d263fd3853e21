-- Where products were told by search documents before their ids had one spelling.
UPDATE IGNORE search_documents SET product = LOWER(product)
WHERE product <> LOWER(product) AND NOT EXISTS (SELECT 1 FROM products WHERE products.id = search_documents.product);
