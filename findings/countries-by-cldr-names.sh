#!/usr/bin/env bash
# i18n-iso-countries 7.14.0 (npm), beside Intl.DisplayNames of CLDR
# Guess: the English name that Intl shows for a country, given back by a form, finds its code.
# Behaviour: 30 names and more find nothing, those of Hong Kong, Laos, Moldova and Syria among them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . i18n-iso-countries@7.14.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const countries = createRequire(import.meta.url)('i18n-iso-countries')
const shown = new Intl.DisplayNames('en', { type: 'region' })
const lost = Object.keys(countries.getAlpha2Codes()).filter((code) => !countries.getAlpha2Code(shown.of(code), 'en'))
for (const code of ['FR', 'HK', 'LA', 'MD', 'SY']) console.log(code, countries.getAlpha2Code(shown.of(code), 'en') ?? 'none')
console.log('thirty or more of all', lost.length >= 30)
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
FR FR
HK none
LA none
MD none
SY none
thirty or more of all true
SEEN
