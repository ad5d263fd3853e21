#!/usr/bin/env bash
# pdfkit 0.20.2 (npm)
# Guess: a letter that Helvetica has not, such as the ł of zł, is an error, a blank or a question mark; the rest stands.
# Behaviour: it is written with three hexadecimal digits instead of two, so that all that follows it on the line is read wrong.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . pdfkit@0.20.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { once } from 'node:events'
import PDFDocument from 'pdfkit'
for (const line of ['25.00 EUR, paid 19.99', '25.00 zł, paid 19.99']) {
  const document = new PDFDocument({ compress: false })
  const chunks = []
  document.on('data', (chunk) => chunks.push(chunk))
  const ended = once(document, 'end')
  document.text(line)
  document.end()
  await ended
  const codes = [...Buffer.concat(chunks).toString('latin1').matchAll(/<([0-9a-f]+)> [\d.-]+\] TJ/g)].map(([, digits]) => digits).join('')
  const shown = Buffer.from(codes, 'hex').toString('latin1')
  console.log(`${line}: ${codes}, so ${JSON.stringify(shown)}`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
25.00 EUR, paid 19.99: 32352e3030204555522c20706169642031392e3939, so "25.00 EUR, paid 19.99"
25.00 zł, paid 19.99: 32352e3030207a1422c20706169642031392e3939, so "25.00 z\u0014\"Â\u0007\u0006\u0016B\u0003\u0013ã"
SEEN
