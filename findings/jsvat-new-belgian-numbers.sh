#!/usr/bin/env bash
# jsvat 2.5.4 (npm)
# Guess: it takes each Belgian VAT number whose check digits (97 minus the first eight digits modulo 97) are right.
# Behaviour: it takes none that begins with 1, as new ones do, since it wants a 0 there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . jsvat@2.5.4 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const { belgium, checkVAT } = createRequire(import.meta.url)('jsvat')
for (const first of [4119058, 10000000, 10176543]) {
  const digits = String(first).padStart(8, '0') + String(97 - (first % 97)).padStart(2, '0')
  console.log(`BE${digits}`, checkVAT(`BE${digits}`, [belgium]).isValid)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
BE0411905847 true
BE1000000021 false
BE1017654318 false
SEEN
