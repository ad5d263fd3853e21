#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12), by mysql2 3.24.5 (npm)
# Guess: in a unique utf8mb4 column two different emoji are two values.
# Behaviour: by utf8mb4_general_ci all characters beyond U+FFFF are equal, Chinese names with rare characters too.
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
await db.query('CREATE TABLE shops (name VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci UNIQUE)')
const insert = (name) =>
  db.query('INSERT INTO shops VALUES (?)', [name]).then(() => 'taken', ({ code }) => code)
for (const name of ['\u{1F375}', '\u{1FAD6}', '\u{20BB7}', '\u5409'])
  console.log(`U+${name.codePointAt(0).toString(16)}: ${await insert(name)}`)
await db.end()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
U+1f375: taken
U+1fad6: ER_DUP_ENTRY
U+20bb7: ER_DUP_ENTRY
U+5409: taken
SEEN
