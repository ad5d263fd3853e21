import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise'

const id = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin'
const sku = 'VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin'
const name = 'VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin'
const text = 'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

/** The auditor's own tables: temporary, so they are this connection's alone and no service's database changes. */
const tables: Record<string, string> = {
  audit_prices: `product_id ${id}, sku ${sku}, unit_price BIGINT, oldest INT UNSIGNED, newest INT UNSIGNED,
    KEY (sku, unit_price)`,
  audit_lines: `order_id ${id}, sku ${sku}, product_id ${id}, quantity BIGINT, unit_price BIGINT, total BIGINT,
    oldest INT UNSIGNED, newest INT UNSIGNED, KEY (order_id, sku)`,
  audit_costs: `order_id ${id}, part ${name}, price BIGINT, off BIGINT, net BIGINT, tax BIGINT, gross BIGINT, KEY (order_id)`,
  audit_discounts: `order_id ${id}, promotion ${id}, code ${sku}, amount BIGINT, KEY (order_id, promotion)`,
  audit_variants: `product_id ${id}, sku ${sku} PRIMARY KEY, unit_price BIGINT, currency CHAR(3), title_en ${text}, title_zh ${text},
    weight_grams BIGINT, seller ${id}, category ${name}, tax_class ${name}`,
  audit_units: `order_id ${id}, sku ${sku}, ordered BIGINT, exchanged BIGINT, shipped BIGINT, cancelled BIGINT, left_of BIGINT, KEY (order_id, sku)`,
  audit_parcels: `order_id ${id}, shipment_id ${id}, sku ${sku}, quantity BIGINT, KEY (order_id, sku)`,
  audit_parts: `order_id ${id}, id ${id}, payment ${id}, status ${name}, amount BIGINT, KEY (id)`,
  audit_documents: `series ${name}, position INT, subject ${id}, order_id ${id}, kind ${name}, number ${name}, corrects ${name}, gross BIGINT,
    KEY (order_id), KEY (subject)`,
  audit_charges: `id ${name} PRIMARY KEY, payment ${name}, status ${name}, amount BIGINT, currency CHAR(3),
    refunded BIGINT NOT NULL DEFAULT 0, KEY (payment)`,
  audit_refunds: `id ${name} PRIMARY KEY, charge ${name}, reference ${name}, amount BIGINT, KEY (charge), KEY (reference)`,
  audit_asked: `account ${id}, request ${name}, KEY (account, request)`,
  audit_clients: `account ${id} PRIMARY KEY`,
  audit_placed: `order_id ${id}, account ${id}, request ${name}, total BIGINT, currency CHAR(3), bought LONGTEXT, KEY (order_id)`,
  audit_payments: `payment_id ${id}, order_id ${id}, status ${name}, KEY (payment_id)`,
  audit_ended: `order_id ${id}, status ${name}, KEY (order_id)`,
  audit_refusals: `account ${id}, request ${name}, KEY (account, request)`,
  audit_short: `refusal BIGINT, sku ${sku}, quantity BIGINT, at DATETIME(3), moment ${name}`,
}

/** Of JSON, whose texts have another collation. */
const ascii = (column: string, size: number) =>
  `CAST(${column} AS CHAR(${size}) CHARACTER SET ascii) COLLATE ascii_bin`
const moneyLeft = `(SELECT COALESCE(SUM(m.gross), 0) FROM JSON_TABLE(f.state, '$.left.lines[*]' COLUMNS (gross BIGINT PATH '$.gross')) AS m)
  + CAST(JSON_VALUE(f.state, '$.left.delivery.gross') AS SIGNED)`

const derived: Record<string, string> = {
  // The versions of a product, as far as its events reach, that had a SKU at a price.
  audit_prices: `SELECT e.event_key, v.sku, v.unit_price, MIN(e.version), MAX(e.version)
    FROM (SELECT event_key, data, CAST(JSON_VALUE(data, '$.version') AS UNSIGNED) AS version FROM catalog.outbox
      WHERE topic = 'product.changed' AND JSON_VALUE(data, '$.status') = 'on-shelf') AS e,
    JSON_TABLE(e.data, '$.variants[*]' COLUMNS (
      sku VARCHAR(40) PATH '$.sku', unit_price BIGINT PATH '$.price.amount')) AS v
    GROUP BY e.event_key, v.sku, v.unit_price`,
  audit_lines: `SELECT l.*, p.oldest, p.newest FROM (
      SELECT o.id, CAST(j.sku AS CHAR(40) CHARACTER SET ascii) COLLATE ascii_bin AS sku,
        CAST(j.product_id AS CHAR(36) CHARACTER SET ascii) COLLATE ascii_bin AS product_id, j.quantity, j.unit_price, j.total
      FROM orders.orders o, JSON_TABLE(o.order_lines, '$[*]' COLUMNS (
        sku VARCHAR(40) PATH '$.sku', product_id VARCHAR(36) PATH '$.productId', quantity BIGINT PATH '$.quantity',
        unit_price BIGINT PATH '$.unitPrice', total BIGINT PATH '$.total')) AS j) AS l
    LEFT JOIN audit_prices p ON p.sku = l.sku AND p.unit_price = l.unit_price AND p.product_id = l.product_id`,
  audit_units: `SELECT f.order_id, ${ascii('j.sku', 40)}, j.ordered, COALESCE(j.exchanged, 0), j.shipped, j.cancelled, ${moneyLeft}
    FROM orders.fulfilments f, JSON_TABLE(f.state, '$.lines[*]' COLUMNS (sku VARCHAR(40) PATH '$.sku',
      ordered BIGINT PATH '$.ordered', exchanged BIGINT PATH '$.exchanged', shipped BIGINT PATH '$.shipped', cancelled BIGINT PATH '$.cancelled')) AS j`,
  audit_parcels: `SELECT f.order_id, ${ascii('j.id', 36)}, ${ascii('j.sku', 40)}, j.quantity
    FROM orders.fulfilments f, JSON_TABLE(f.state, '$.shipments[*]' COLUMNS (id VARCHAR(36) PATH '$.id',
      NESTED PATH '$.lines[*]' COLUMNS (sku VARCHAR(40) PATH '$.sku', quantity BIGINT PATH '$.quantity'))) AS j`,
  audit_parts: `SELECT f.order_id, ${ascii('j.id', 36)}, ${ascii("JSON_VALUE(f.state, '$.paymentId')", 36)}, j.status, j.amount
    FROM orders.fulfilments f, JSON_TABLE(f.state, '$.refunds[*]' COLUMNS (id VARCHAR(36) PATH '$.id',
      status VARCHAR(20) PATH '$.status', amount BIGINT PATH '$.amount')) AS j`,
  // What quotes are made of: lines, and how they are delivered.
  audit_costs: `SELECT o.id, CONCAT('line ', j.n), j.subtotal, SUM(COALESCE(j.own, 0) + COALESCE(j.shared, 0)), j.net, j.tax, j.gross
    FROM orders.orders o, JSON_TABLE(o.quote, '$.lines[*]' COLUMNS (
      n FOR ORDINALITY, subtotal BIGINT PATH '$.subtotal', net BIGINT PATH '$.net', tax BIGINT PATH '$.tax', gross BIGINT PATH '$.gross',
      NESTED PATH '$.lineDiscounts[*]' COLUMNS (own BIGINT PATH '$.amount'),
      NESTED PATH '$.orderDiscounts[*]' COLUMNS (shared BIGINT PATH '$.amount'))) AS j
    GROUP BY o.id, j.n, j.subtotal, j.net, j.tax, j.gross
    UNION ALL
    SELECT o.id, 'the delivery', j.price, SUM(COALESCE(j.off, 0)), j.net, j.tax, j.gross
    FROM orders.orders o, JSON_TABLE(o.quote, '$.delivery' COLUMNS (
      price BIGINT PATH '$.price', net BIGINT PATH '$.net', tax BIGINT PATH '$.tax', gross BIGINT PATH '$.gross',
      NESTED PATH '$.discounts[*]' COLUMNS (off BIGINT PATH '$.amount'))) AS j
    GROUP BY o.id, j.price, j.net, j.tax, j.gross`,
  audit_discounts: `SELECT o.id, j.promotion, j.code, j.amount
    FROM orders.orders o, JSON_TABLE(o.quote, '$.discounts[*]' COLUMNS (
      promotion VARCHAR(36) PATH '$.promotionId', code VARCHAR(40) PATH '$.code', amount BIGINT PATH '$.amount')) AS j`,
  audit_documents: `SELECT i.series, i.position, i.subject, i.order_id, JSON_VALUE(i.document, '$.kind'), JSON_VALUE(i.document, '$.number'),
      JSON_VALUE(i.document, '$.corrects.number'), COALESCE(JSON_VALUE(i.document, '$.delivery.gross'), 0)
        + (SELECT COALESCE(SUM(l.gross), 0) FROM JSON_TABLE(i.document, '$.lines[*]' COLUMNS (gross BIGINT PATH '$.gross')) AS l)
    FROM orders.invoices i`,
  audit_variants: `SELECT p.id, v.sku, v.unit_price, v.currency,
      JSON_VALUE(p.content, '$.title.en'), JSON_VALUE(p.content, '$.title.zh'), v.weight_grams, p.seller, p.category,
      COALESCE(JSON_VALUE(p.content, '$.taxClass'), 'standard')
    FROM catalog.products p, JSON_TABLE(p.content, '$.variants[*]' COLUMNS (
      sku VARCHAR(40) PATH '$.sku', unit_price BIGINT PATH '$.price.amount', currency CHAR(3) PATH '$.price.currency',
      weight_grams BIGINT PATH '$.weightGrams')) AS v
    WHERE p.status = 'on-shelf'`,
}

/**
 * A connection that reads the databases of all services, which stand on one server, and writes to none of them. Times are
 * UTC.
 */
export const openBooks = async (adminUrl: string): Promise<Connection> => {
  const books = await mysql.createConnection({
    ...{ uri: adminUrl, database: 'orders', timezone: 'Z', dateStrings: true },
    ...{ supportBigNumbers: true, bigNumberStrings: false, connectTimeout: 60_000 },
  })
  await books.query("SET SESSION time_zone = '+00:00', group_concat_max_len = 16777216")
  await books.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'")
  await books.query('SET SESSION tmp_table_size = 1073741824, max_heap_table_size = 1073741824')
  await books.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  for (const [table, columns] of Object.entries(tables))
    await books.query(`CREATE TEMPORARY TABLE ${table} (${columns}) ENGINE=InnoDB`)
  return books
}

/** From here to `leave`, what is read is the state of one moment in all databases, and `NOW()` is that moment. */
export const snapshot = async (books: Connection): Promise<void> => {
  await books.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
  await books.query('SET SESSION timestamp = UNIX_TIMESTAMP(NOW(3))')
}

export const leave = async (books: Connection): Promise<void> => {
  await books.query('COMMIT')
  await books.query('SET SESSION timestamp = DEFAULT')
}

/** What the services keep as JSON, as rows. */
export const takeApart = async (books: Connection): Promise<void> => {
  for (const [table, select] of Object.entries(derived)) await books.query(`INSERT INTO ${table} ${select}`)
}

/** Adds rows to one of the auditor's tables; their values are in the order of its columns. */
export const fill = async (books: Connection, table: string, rows: readonly unknown[][]): Promise<void> => {
  for (let start = 0; start < rows.length; start += 1000)
    await books.query(`INSERT INTO ${table} VALUES ?`, [rows.slice(start, start + 1000)])
}

export const select = async <T>(
  books: Connection,
  statement: string,
  values: unknown[] = [],
): Promise<T[]> => {
  const [rows] = await books.query<RowDataPacket[]>(statement, values)
  return rows as T[]
}
