#!/usr/bin/env bash
# zod 4.6.7 and ajv 8.20.0 (npm)
# Guess: what zod accepts, Ajv accepts by the JSON Schema that zod writes of it, and what zod refuses, Ajv refuses.
# Behaviour: not for 19.99 as a multiple of 0.01, not for a pattern whose flag `i` is lost, nor for blanks that zod trims first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . zod@4.6.7 ajv@8.20.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
const judge = (what, schema, value) => {
  const byAjv = new Ajv2020({ strict: false }).compile(z.toJSONSchema(schema))(value)
  console.log(`${what}: zod ${schema.safeParse(value).success}, ajv ${byAjv}`)
}
judge('19.99 in steps of 0.01', z.number().multipleOf(0.01), 19.99)
judge('ABC by /^[a-z]+$/i', z.string().regex(/^[a-z]+$/i), 'ABC')
judge('three blanks, trimmed, at least one character', z.string().trim().min(1), '   ')
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
19.99 in steps of 0.01: zod true, ajv false
ABC by /^[a-z]+$/i: zod true, ajv false
three blanks, trimmed, at least one character: zod false, ajv true
SEEN
