#!/usr/bin/env bash
# currency.js 2.0.4 (npm)
# Guess: minus an amount rounds to minus what the amount rounds to.
# Behaviour: halves go up, also below zero: 1.005 becomes 1.01 and -1.005 becomes -1, so a charge and its refund leave a cent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . currency.js@2.0.4 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import currency from 'currency.js'
for (const amount of ['1.005', '0.125', '10.5']) {
  const precision = amount === '10.5' ? 0 : 2
  const [charge, refund] = [currency(amount, { precision }), currency(`-${amount}`, { precision })]
  console.log(`${amount}: ${charge} and ${refund} leave ${charge.add(refund)}`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
1.005: 1.01 and -1.00 leave 0.01
0.125: 0.13 and -0.12 leave 0.01
10.5: 11 and -10 leave 1
SEEN
