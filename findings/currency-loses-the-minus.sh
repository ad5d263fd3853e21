#!/usr/bin/env bash
# currency.js 2.0.4 (npm), beside Intl.NumberFormat
# Guess: a negative amount that Intl wrote is read as negative.
# Behaviour: in locales whose minus is U+2212, such as Swedish, the sign is passed over: a refund becomes a charge.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . currency.js@2.0.4 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import currency from 'currency.js'
const written = new Intl.NumberFormat('sv-SE', { style: 'currency', currency: 'SEK' }).format(-5)
console.log('U+' + written.codePointAt(0).toString(16), currency(written, { decimal: ',' }).value)
console.log(currency('-5,00 kr', { decimal: ',' }).value, currency('(5,00 kr)', { decimal: ',' }).value)
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
U+2212 5
-5 -5
SEEN
