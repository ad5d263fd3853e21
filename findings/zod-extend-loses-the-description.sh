#!/usr/bin/env bash
# zod 4.6.7 (npm)
# Guess: a schema made of another by a method keeps its meta data, or loses it, whichever the method.
# Behaviour: min and optional keep the description, extend, pick, partial and strict lose it and the id.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . zod@4.6.7 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { z } from 'zod'
const told = (what, schema) => console.log(what, z.toJSONSchema(schema).description ?? 'none')
const sku = z.string().meta({ description: 'what the shelf says' })
told('min', sku.min(1))
told('optional', sku.optional())
const product = z.object({ sku: z.string() }).meta({ description: 'what is sold' })
told('extend', product.extend({ name: z.string() }))
told('pick', product.pick({ sku: true }))
told('partial', product.partial())
told('strict', product.strict())
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
min what the shelf says
optional what the shelf says
extend none
pick none
partial none
strict none
SEEN
