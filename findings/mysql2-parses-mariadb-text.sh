#!/usr/bin/env bash
# mysql2 3.24.5 (npm) with MariaDB 10.11.19 (Debian 12)
# Guess: a TEXT column is given as text.
# Behaviour: where the column has CHECK (JSON_VALID(...)), MariaDB says that it is JSON and mysql2 gives an object, unless the connection has `jsonStrings`.
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
await db.query('CREATE TABLE notes (plain TEXT, checked TEXT CHECK (JSON_VALID(checked)))')
await db.query(`INSERT INTO notes VALUES ('{"a":1}', '{"a":1}')`)
const types = async (connection) => {
  const [[row]] = await connection.query('SELECT plain, checked FROM probe.notes')
  return `${typeof row.plain} ${typeof row.checked}`
}
const other = await mysql.createConnection({ socketPath: process.argv[2], user: 'root', jsonStrings: true })
console.log(await types(db))
console.log(await types(other))
await other.end()
await db.end()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
string object
string string
SEEN
