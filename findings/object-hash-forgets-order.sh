#!/usr/bin/env bash
# node-object-hash 3.1.1 (npm)
# Guess: lists in another order, and a number and the same as text, have different hashes.
# Behaviour: lists are sorted and values made text first: two steps swapped, or the SKU "12" and the number 12, are the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . node-object-hash@3.1.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { hasher } from 'node-object-hash'
const same = (options, one, other) => hasher(options).hash(one) === hasher(options).hash(other)
for (const options of [{}, { sort: { array: false }, coerce: false }]) {
  console.log(JSON.stringify(options))
  console.log('order of a list', same(options, { steps: ['capture', 'ship'] }, { steps: ['ship', 'capture'] }))
  console.log('text and number', same(options, { sku: '12' }, { sku: 12 }))
  console.log('order of keys', same(options, { a: 1, b: 2 }, { b: 2, a: 1 }))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
{}
order of a list true
text and number true
order of keys true
{"sort":{"array":false},"coerce":false}
order of a list false
text and number false
order of keys false
SEEN
