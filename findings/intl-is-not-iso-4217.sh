#!/usr/bin/env bash
# Intl.NumberFormat of Node.js 24.21.0 (npm), beside ISO 4217 of currency-codes 2.2.0 (npm)
# Guess: Intl knows how many digits a currency's minor unit has.
# Behaviour: it knows how many are shown, by CLDR: none for HUF, IDR, COP, PKR and twelve more whose minor units ISO counts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . node@24.21.0 currency-codes@2.2.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const { code, codes } = createRequire(import.meta.url)('currency-codes')
const shown = (currency) =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits
const money = codes().filter((each) => code(each).digits > 0)
console.log(money.filter((each) => shown(each) !== code(each).digits).join(' '))
console.log('HUF', shown('HUF'), 'by Intl,', code('HUF').digits, 'by ISO; IQD', shown('IQD'), 'and', code('IQD').digits)
PROBE
node_modules/.bin/node probe.mjs | tee seen
diff seen - << 'SEEN'
AFN ALL COP HUF IDR IQD IRR KPW LAK LBP MGA MMK PKR SOS SYP YER
HUF 0 by Intl, 2 by ISO; IQD 0 and 3
SEEN
