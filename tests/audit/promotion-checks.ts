import type { Check } from './check.ts'

const live = `SELECT u.order_id, r.customer, u.promotion, u.code, u.amount FROM promotions.redemption_uses u
  JOIN promotions.redemptions r ON r.order_id = u.order_id WHERE r.status IN ('held', 'confirmed')`

/** A table of counters against what the live redemptions come to, by its key: neither more nor less. */
const counted = (table: string, keys: readonly string[], sum = '0', spent = '0'): string[] => {
  const [own, theirs] = [keys.map((key) => `c.${key}`), keys.map((key) => `l.${key}`)]
  const sums = `SELECT ${keys.join()}, COUNT(*) AS n, ${sum} AS spent FROM (${live}) AS live
    WHERE ${keys.map((key) => `${key} IS NOT NULL`).join(' AND ')} GROUP BY ${keys.join()}`
  const same = keys.map((_, at) => `${own[at]} = ${theirs[at]}`).join(' AND ')
  return [
    `SELECT CONCAT_WS(' ', ${own}, 'counts', c.used, 'of', ${spent}, ', its redemptions are', COALESCE(l.n, 0), 'of', COALESCE(l.spent, 0)) AS what
     FROM promotions.${table} c LEFT JOIN (${sums}) AS l ON ${same}
     WHERE c.used <> COALESCE(l.n, 0) OR ${spent} <> COALESCE(l.spent, 0)`,
    `SELECT CONCAT_WS(' ', ${theirs}, 'is in no ${table}, its redemptions are', l.n) AS what
     FROM (${sums}) AS l LEFT JOIN promotions.${table} c ON ${same} WHERE ${own[0]} IS NULL`,
  ]
}

/** I10: no coupon, limit or budget is used more than it allows, and each use is an order's. */
export const promotionChecks: readonly Check[] = [
  {
    invariant: 'I10',
    check: 'what a promotion gave = its live redemptions',
    counts: 'SELECT COUNT(*) FROM promotions.promotions',
    finds: counted('promotions', ['promotion'], 'SUM(amount)', 'c.spent').map((find) =>
      find.replaceAll('c.promotion', 'c.id'),
    ),
  },
  {
    invariant: 'I10',
    check: 'uses of a code = its live redemptions',
    counts: 'SELECT COUNT(*) FROM promotions.codes',
    finds: counted('codes', ['code', 'promotion']),
  },
  {
    invariant: 'I10',
    check: 'uses of a customer = its live redemptions',
    counts: 'SELECT COUNT(*) FROM promotions.customer_uses',
    finds: counted('customer_uses', ['promotion', 'customer']),
  },
  {
    invariant: 'I10',
    check: 'no limit is passed',
    counts: `SELECT (SELECT COUNT(*) FROM promotions.promotions) + (SELECT COUNT(*) FROM promotions.codes)`,
    finds: [
      `SELECT CONCAT('promotion ', id, ' is used ', used, ' of ', uses_limit, ' times, for ', spent, ' of ', budget) AS what
       FROM promotions.promotions WHERE used > uses_limit OR spent > budget`,
      `SELECT CONCAT('code ', code, ' is used ', used, ' of ', uses_limit, ' times') AS what
       FROM promotions.codes WHERE used > uses_limit`,
      // Of what is used by then an operator may allow less.
      `SELECT CONCAT('promotion ', c.promotion, ' is used ', c.used, ' of ', p.customer_limit, ' times by ', c.customer) AS what
       FROM promotions.customer_uses c JOIN promotions.promotions p ON p.id = c.promotion
       WHERE p.version = 1 AND c.used > p.customer_limit`,
    ],
  },
  {
    invariant: 'I10',
    check: 'a redemption is of what was taken off its order',
    counts: 'SELECT COUNT(*) FROM promotions.redemption_uses',
    finds: [
      `SELECT CONCAT('order ', l.order_id, ' redeemed ', l.amount, ' of ', l.promotion, ' by ', COALESCE(l.code, 'no code'),
         ', has off ', COALESCE(d.amount, 'nothing'), ' by ', COALESCE(d.code, 'no code')) AS what
       FROM (${live}) AS l JOIN orders.orders o ON o.id = l.order_id AND o.status <> 'cancelled'
       LEFT JOIN audit_discounts d ON d.order_id = l.order_id AND d.promotion = l.promotion
       WHERE NOT (d.amount <=> l.amount AND d.code <=> l.code)`,
      `SELECT CONCAT('order ', d.order_id, ' has ', d.amount, ' off by ', d.code, ', which it did not redeem') AS what
       FROM audit_discounts d JOIN orders.orders o ON o.id = d.order_id AND o.status <> 'cancelled'
       LEFT JOIN (${live}) AS l ON l.order_id = d.order_id AND l.promotion = d.promotion
       WHERE d.code IS NOT NULL AND l.order_id IS NULL`,
    ],
  },
]
