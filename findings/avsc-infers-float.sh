#!/usr/bin/env bash
# avsc 5.7.9 (npm)
# Guess: the schema inferred from a value holds that value.
# Behaviour: every number with a fraction is inferred as float, of 32 bits: 19.99 comes back as 19.989999771118164.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . avsc@5.7.9 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import avro from 'avsc'
const item = { sku: 'A-12', price: 19.99, turnover: 123456789.12 }
const type = avro.Type.forValue(item)
console.log(JSON.stringify(type.schema().fields))
console.log(JSON.stringify(type.fromBuffer(type.toBuffer(item))))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
[{"name":"sku","type":"string"},{"name":"price","type":"float"},{"name":"turnover","type":"float"}]
{"sku":"A-12","price":19.989999771118164,"turnover":123456792}
SEEN
