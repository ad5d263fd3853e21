#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12), by mysql2 3.24.5 (npm)
# Guess: who asks information_schema.INNODB_TRX often sees a statement that waits for a lock the sooner.
# Behaviour: InnoDB renews what the table shows only when nobody has read it for 100 ms: asked every 20 ms it never shows the wait.
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
const connect = () => mysql.createConnection({ socketPath: process.argv[2], user: 'root' })
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const [first, second, watcher] = [await connect(), await connect(), await connect()]
await first.query('CREATE DATABASE probe')
for (const each of [first, second]) await each.query('USE probe')
await first.query('CREATE TABLE stock (id INT PRIMARY KEY)')
await first.query('INSERT INTO stock VALUES (1)')

const looks = async (ms, times) => {
  await watcher.query('SELECT 1 FROM information_schema.INNODB_TRX')
  await first.query('BEGIN')
  await first.query('SELECT * FROM stock WHERE id = 1 FOR UPDATE')
  await second.query('BEGIN')
  const waiting = second.query('SELECT * FROM stock WHERE id = 1 FOR UPDATE')
  let seen = false
  for (let n = 0; n < times && !seen; n += 1) {
    const [rows] = await watcher.query("SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")
    seen = rows.length > 0
    if (!seen) await pause(ms)
  }
  await first.query('COMMIT')
  await waiting
  await second.query('COMMIT')
  return seen
}
console.log(`looked every 20 ms for a second: ${(await looks(20, 50)) ? 'seen' : 'never seen'}`)
console.log(`looked every 250 ms for a second: ${(await looks(250, 4)) ? 'seen' : 'never seen'}`)
for (const each of [first, second, watcher]) await each.end()
PROBE
node probe.mjs "$folder/socket" | tee seen
diff seen - << 'SEEN'
looked every 20 ms for a second: never seen
looked every 250 ms for a second: seen
SEEN
