#!/usr/bin/env bash
# intl-messageformat 12.1.5 (npm), beside Intl.PluralRules
# Guess: where the number is written as 1.00 the plural is chosen for 1.00, which English calls other ("1.00 litres").
# Behaviour: it is chosen for 1: "1.00 litre", while Intl.PluralRules that is told of the decimals says other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . intl-messageformat@12.1.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { IntlMessageFormat } from 'intl-messageformat'
const message = new IntlMessageFormat('{n, plural, one {{n, number, ::.00} litre} other {{n, number, ::.00} litres}}', 'en')
for (const n of [1, 1.5]) {
  const rules = new Intl.PluralRules('en', { minimumFractionDigits: 2 })
  console.log(message.format({ n }), '|', rules.select(n))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
1.00 litre | other
1.50 litres | other
SEEN
