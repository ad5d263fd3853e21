#!/usr/bin/env bash
# csv-stringify 6.9.0 and papaparse 5.7.1 (npm)
# Guess: the option against formulas marks what a spreadsheet would compute, and leaves amounts and telephone numbers alone.
# Behaviour: both put an apostrophe before each text that begins with - or +, so before a DECIMAL as drivers give it, too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . csv-stringify@6.9.0 papaparse@5.7.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { stringify } from 'csv-stringify/sync'
import Papa from 'papaparse'
const rows = [['-12.50', -12.5, '+8613800138000', '12.50']]
console.log(stringify(rows, { escape_formulas: true }).trim())
console.log(Papa.unparse(rows, { escapeFormulae: true }))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
'-12.50,-12.5,'+8613800138000,12.50
"'-12.50",-12.5,"'+8613800138000",12.50
SEEN
