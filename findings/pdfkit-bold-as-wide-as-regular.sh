#!/usr/bin/env bash
# pdfkit 0.20.2 (npm), with the variable Noto Sans of @fontsource-variable/noto-sans 5.3.0 and fontverter 2.0.0 (npm)
# Guess: a variable font that is registered twice, as its variations Regular and Bold, is two fonts.
# Behaviour: they are one, for they come of one file: the second is measured as the first, Bold as Regular or Regular as Bold.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . pdfkit@0.20.2 @fontsource-variable/noto-sans@5.3.0 fontverter@2.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { readFileSync } from 'node:fs'
import fontverter from 'fontverter'
import PDFDocument from 'pdfkit'
const woff2 = readFileSync('node_modules/@fontsource-variable/noto-sans/files/noto-sans-latin-wght-normal.woff2')
const truetype = await fontverter.convert(woff2, 'truetype')
for (const order of [['Regular', 'Bold'], ['Bold', 'Regular'], ['Regular'], ['Bold']]) {
  const document = new PDFDocument()
  const widths = order.map((name) => {
    document.registerFont(name, truetype, name).font(name)
    return `${name} ${document.widthOfString('Total 25.00').toFixed(2)}`
  })
  console.log(widths.join(', '))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
Regular 61.04, Bold 61.04
Bold 63.49, Regular 63.49
Regular 61.04
Bold 63.49
SEEN
