#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12), by mysql2 3.24.5 (npm)
# Guess: `at < '2026-01-01T13:30:00+02:00'` compares with 11:30 UTC in a session of UTC, or is an error.
# Behaviour: the offset is cut off, with a warning that nobody reads: a row of 12:00 UTC is deleted.
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
await db.query("SET time_zone = '+00:00'")
await db.query('CREATE TABLE events (at DATETIME(3))')
await db.query("INSERT INTO events VALUES ('2026-01-01 12:00:00')")
const [{ affectedRows, warningStatus }] = await db.query("DELETE FROM events WHERE at < '2026-01-01T13:30:00+02:00'")
console.log(`deleted ${affectedRows}, warnings ${warningStatus}`)
await db.end()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
deleted 1, warnings 1
SEEN
