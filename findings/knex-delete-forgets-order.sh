#!/usr/bin/env bash
# knex 3.3.0 (npm), for MySQL and MariaDB
# Guess: `orderBy(...).limit(...).del()` deletes the first rows of that order, as the same chain updates them.
# Behaviour: DELETE keeps the LIMIT and loses the ORDER BY, so it deletes any rows; UPDATE keeps both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . knex@3.3.0 mysql2@3.24.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const db = createRequire(import.meta.url)('knex')({ client: 'mysql2' })
const oldest = () => db('events').where('sent', 1).orderBy('seq').limit(10)
console.log(oldest().del().toString())
console.log(oldest().update({ sent: 2 }).toString())
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
delete from `events` where `sent` = 1 limit 10
update `events` set `sent` = 2 where `sent` = 1 order by `seq` asc limit 10
SEEN
