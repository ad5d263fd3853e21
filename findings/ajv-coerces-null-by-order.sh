#!/usr/bin/env bash
# ajv 8.20.0 (npm)
# Guess: with coerceTypes a null that `anyOf: [number, null]` allows stays null, in either order and in either class.
# Behaviour: Ajv makes it 0 when number stands first, Ajv2020 when null does. With `type: [number, null]` it stays null.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . ajv@8.20.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
const number = { type: 'number' }
const none = { type: 'null' }
for (const [what, price] of [
  ['number or null', { anyOf: [number, none] }],
  ['null or number', { anyOf: [none, number] }],
  ['one list', { type: ['number', 'null'] }],
]) {
  const read = [Ajv, Ajv2020].map((Validator) => {
    const product = { price: null }
    const validate = new Validator({ coerceTypes: true, strict: false }).compile({ type: 'object', properties: { price } })
    return `${validate(product)} ${product.price}`
  })
  console.log(`${what}: Ajv ${read[0]}, Ajv2020 ${read[1]}`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
number or null: Ajv true 0, Ajv2020 true null
null or number: Ajv true null, Ajv2020 true 0
one list: Ajv true null, Ajv2020 true null
SEEN
