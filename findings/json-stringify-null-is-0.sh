#!/usr/bin/env bash
# fast-json-stringify 7.3.10 (npm)
# Guess: a null where the schema says a number is an error, or null.
# Behaviour: it is written as 0, a missing price as no charge; the text "false" is true, and -1.7 as an integer -1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . fast-json-stringify@7.3.10 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import build from 'fast-json-stringify'
for (const [type, value] of [['number', null], ['integer', -1.7], ['boolean', 'false'], ['string', null], ['number', undefined]]) {
  const write = build({ type: 'object', properties: { price: { type } } })
  console.log(type, value, write({ price: value }))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
number null {"price":0}
integer -1.7 {"price":-1}
boolean false {"price":true}
string null {"price":""}
number undefined {}
SEEN
