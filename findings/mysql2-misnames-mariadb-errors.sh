#!/usr/bin/env bash
# mysql2 3.24.5 (npm) with MariaDB 10.11.19 (Debian 12)
# Guess: `error.code` of a refused CHECK names that constraint, whatever server refused it.
# Behaviour: the names are MySQL's. MariaDB's own numbers get another error's name, or none: only `errno` tells.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q mariadb-server-core=1:10.11.19-0+deb12u1 liburing2 libaio1 libnuma1 > apt.log 2>&1 || { cat apt.log; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" debian; done
export LD_LIBRARY_PATH="$folder/debian/usr/lib/$(uname -m)-linux-gnu"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . mysql2@3.24.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
mkdir data
debian/usr/sbin/mariadbd --no-defaults --user="$(id -un)" --datadir="$folder/data" --skip-grant-tables --skip-networking \
  --lc-messages-dir="$folder/debian/usr/share/mysql" --character-sets-dir="$folder/debian/usr/share/mysql/charsets" \
  --socket="$folder/socket" > server.log 2>&1 &
server=$!
for _ in $(seq 300); do [ -S socket ] && break; sleep 0.2; done
cat > probe.mjs << 'PROBE'
import mysql from 'mysql2/promise'
const db = await mysql.createConnection({ socketPath: process.argv[2], user: 'root' })
await db.query('CREATE DATABASE probe')
await db.query('USE probe')
await db.query('CREATE TABLE stock (left_over INT, CONSTRAINT never_negative CHECK (left_over >= 0))')
const told = (work) => work.then(() => 'no error', ({ errno, code }) => `${errno} ${code}`)
console.log(await told(db.query('INSERT INTO stock VALUES (-1)')))
console.log(await told(db.query('SELECT NEXT VALUE FOR no_such_sequence')))
console.log(await told(db.query('SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(1)')))
await db.end()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
4025 ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE
4091 ER_XA_TEMP_TABLE
1969 undefined
SEEN
