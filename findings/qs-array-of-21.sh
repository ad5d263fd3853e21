#!/usr/bin/env bash
# qs 6.17.1 (npm)
# Guess: 21 values of one name come as an array, as 20 do.
# Behaviour: from the 21st on all of them come as an object with the keys 0 to 20, in whichever of three ways they are written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . qs@6.17.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const qs = createRequire(import.meta.url)('qs')
const told = (value) => `${Array.isArray(value) ? 'array' : typeof value} of ${Object.keys(value).length}`
for (const count of [20, 21]) {
  const skus = Array.from({ length: count }, (_, at) => `A-${at}`)
  console.log('sku[]=', told(qs.parse(skus.map((sku) => `sku[]=${sku}`).join('&')).sku))
  console.log('sku=', told(qs.parse(skus.map((sku) => `sku=${sku}`).join('&')).sku))
  console.log('sku=,', told(qs.parse(`sku=${skus}`, { comma: true }).sku))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
sku[]= array of 20
sku= array of 20
sku=, array of 20
sku[]= object of 21
sku= object of 21
sku=, object of 21
SEEN
