CREATE TABLE accounts (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
  email VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name VARCHAR(100) CHARACTER SET utf8mb4 NOT NULL,
  password_hash VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  roles JSON NOT NULL,
  created_at DATETIME(3) NOT NULL,
  UNIQUE KEY email (email),
  CONSTRAINT email_is_lower_case CHECK (email = LOWER(email)),
  CONSTRAINT password_is_hashed CHECK (password_hash LIKE '$argon2id$%'),
  CONSTRAINT roles_are_a_list CHECK (JSON_TYPE(roles) = 'ARRAY')
) ENGINE=InnoDB;
