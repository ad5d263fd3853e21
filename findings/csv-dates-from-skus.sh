#!/usr/bin/env bash
# csv-parse 7.0.3 (npm)
# Guess: `cast_date` makes dates of what looks like one, such as 2026-01-31.
# Behaviour: it makes dates of all that Date.parse takes, so of SKUs such as A-12, too: the first of December 2001.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . csv-parse@7.0.3 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { parse } from 'csv-parse/sync'
const [row] = parse('A-12,tea 7,MUG-5,MUG\n', { cast: true, cast_date: true })
for (const cell of row) console.log(cell instanceof Date ? `a date in ${cell.getFullYear()}, month ${cell.getMonth() + 1}` : cell)
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
a date in 2001, month 12
a date in 2001, month 7
a date in 2001, month 5
MUG
SEEN
