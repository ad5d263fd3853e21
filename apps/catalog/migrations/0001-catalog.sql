CREATE TABLE sellers (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  document TEXT NOT NULL,
  CONSTRAINT seller_is_json CHECK (JSON_VALID(document))
) ENGINE=InnoDB;

CREATE TABLE categories (
  slug VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  parent VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NULL,
  name TEXT NOT NULL,
  CONSTRAINT category_is_json CHECK (JSON_VALID(name)),
  CONSTRAINT category_has_parent FOREIGN KEY (parent) REFERENCES categories (slug)
) ENGINE=InnoDB;

-- Documents are text, not JSON, which would reorder an object's members. `summary` is what lists show, so that they do not
-- read whole documents. `terms` is empty off the shelf: search then needs no second condition.
CREATE TABLE products (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  version INT UNSIGNED NOT NULL,
  seller CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  category VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL,
  updated_at DATETIME(3) NOT NULL,
  content MEDIUMTEXT NOT NULL,
  summary TEXT NOT NULL,
  terms MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
  CONSTRAINT product_version CHECK (version > 0),
  CONSTRAINT product_status CHECK (status IN ('on-shelf', 'off-shelf')),
  CONSTRAINT content_is_json CHECK (JSON_VALID(content)),
  CONSTRAINT summary_is_json CHECK (JSON_VALID(summary)),
  CONSTRAINT product_has_seller FOREIGN KEY (seller) REFERENCES sellers (id),
  CONSTRAINT product_has_category FOREIGN KEY (category) REFERENCES categories (slug),
  KEY shelf (status, created_at, id),
  KEY shelf_of_category (category, status, created_at, id),
  KEY shelf_of_seller (seller, status, created_at, id),
  KEY shelf_of_seller_and_category (seller, category, status, created_at, id),
  FULLTEXT KEY search (terms)
) ENGINE=InnoDB;

CREATE TABLE product_skus (
  sku VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  product CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  CONSTRAINT sku_of_product FOREIGN KEY (product) REFERENCES products (id),
  KEY of_product (product)
) ENGINE=InnoDB;
