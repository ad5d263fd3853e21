#!/usr/bin/env bash
# knex 3.3.0 and mysql2 3.24.5 (npm) with MariaDB 10.11.19 (Debian 12)
# Guess: `whereLike('name', …)` is `where('name', 'like', …)`.
# Behaviour: it adds COLLATE utf8_bin, an error on a connection in utf8mb4, which is mysql2's own; whereILike adds nothing.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q mariadb-server-core=1:10.11.19-0+deb12u1 liburing2 libaio1 libnuma1 > apt.log 2>&1 || { cat apt.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" debian; done
export LD_LIBRARY_PATH="$folder/debian/usr/lib/$(uname -m)-linux-gnu"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . knex@3.3.0 mysql2@3.24.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
mkdir data
debian/usr/sbin/mariadbd --no-defaults --user="$(id -un)" --datadir="$folder/data" --skip-grant-tables --skip-networking \
  --lc-messages-dir="$folder/debian/usr/share/mysql" --character-sets-dir="$folder/debian/usr/share/mysql/charsets" \
  --socket="$folder/socket" > server.log 2>&1 &
server=$!
for _ in $(seq 300); do [ -S socket ] && break; sleep 0.2; done
cat > probe.mjs << 'PROBE'
import knex from 'knex'
const db = knex({ client: 'mysql2', connection: { socketPath: process.argv[2], user: 'root' } })
await db.raw('CREATE DATABASE probe CHARACTER SET utf8mb4')
const products = () => db('probe.products')
await db.raw('CREATE TABLE probe.products (name VARCHAR(100))')
await products().insert({ name: 'Tea' })
for (const query of [products().where('name', 'like', 'T%'), products().whereILike('name', 'T%'), products().whereLike('name', 'T%')])
  console.log(query.toSQL().sql, '|', await query.then((rows) => `rows ${rows.length}`, ({ errno, code }) => `${errno} ${code}`))
await db.destroy()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
select * from `probe`.`products` where `name` like ? | rows 1
select * from `probe`.`products` where `name` like ? | rows 1
select * from `probe`.`products` where `name` like ? COLLATE utf8_bin | 1253 ER_COLLATION_CHARSET_MISMATCH
SEEN
