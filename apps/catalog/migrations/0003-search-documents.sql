-- Counts what search looks through; its row's lock, held to the commit, puts changes of that in order. Of what was replaced up to
-- `trimmed`, nothing need be left.
CREATE TABLE search_version (
  one TINYINT UNSIGNED PRIMARY KEY DEFAULT 1,
  version BIGINT UNSIGNED NOT NULL,
  trimmed BIGINT UNSIGNED NOT NULL,
  CONSTRAINT one_search_version CHECK (one = 1)
) ENGINE=InnoDB;

INSERT INTO search_version (version, trimmed) VALUES (0, 0);

-- What search looks through: of each product one document that holds, and for a while those that it replaced. A search goes on
-- with the version that it began with.
CREATE TABLE search_documents (
  product CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  since BIGINT UNSIGNED NOT NULL,
  until BIGINT UNSIGNED NULL,
  replaced_at DATETIME(3) NULL,
  -- The product's own as it is now, whatever the document's age.
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  title_terms TEXT CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  terms MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  PRIMARY KEY (product, since),
  KEY age (replaced_at),
  FULLTEXT KEY title_terms (title_terms),
  FULLTEXT KEY terms (terms),
  CONSTRAINT document_of_product FOREIGN KEY (product) REFERENCES products (id)
) ENGINE=InnoDB;

-- Until they are indexed anew, products are found by what the version before made of them.
INSERT INTO search_documents (product, since, status, title_terms, terms)
SELECT id, 0, status, '', terms FROM products;

-- Of which version, and by which edition of the rules, a product's document is. The version that runs beside this one sets neither.
ALTER TABLE products
  ADD COLUMN indexed_version INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN indexed_edition SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  ADD KEY indexing (id, version, indexed_version, indexed_edition);
