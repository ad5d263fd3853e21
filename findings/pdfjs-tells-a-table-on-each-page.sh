#!/usr/bin/env bash
# unpdf 1.8.1 (npm), PDF.js without a browser, and pdfkit 0.20.2 (npm), which writes the file
# Guess: `getStructTree` of a page gives what stands on that page: of a table over two pages the page's own rows.
# Behaviour: it gives all rows of the table on each page; those of the other page are there without content.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . unpdf@1.8.1 pdfkit@0.20.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { buffer } from 'node:stream/consumers'
import PDFDocument from 'pdfkit'
import { getDocumentProxy } from 'unpdf'
const document = new PDFDocument({ tagged: true, pdfVersion: '1.7' })
const table = document.struct('Table')
document.addStructure(table)
for (const [index, sku] of ['A-1', 'A-2', 'A-3'].entries()) {
  if (index === 2) document.addPage()
  const cell = document.struct('TD', () => document.text(sku))
  table.add(document.struct('TR', [cell]))
}
table.end()
document.end()
const read = await getDocumentProxy(new Uint8Array(await buffer(document)))
const hasContent = ({ type, children = [] }) => type === 'content' || children.some(hasContent)
for (const number of [1, 2]) {
  const page = await read.getPage(number)
  const { items } = await page.getTextContent()
  const [{ children }] = (await page.getStructTree()).children
  const rows = children.map((row) => `${row.role} ${hasContent(row) ? 'with content' : 'empty'}`)
  console.log(`page ${number}, ${items.map(({ str }) => str).filter(Boolean).join(' ')}: ${rows.join(', ')}`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
page 1, A-1 A-2: TR with content, TR with content, TR empty
page 2, A-3: TR empty, TR empty, TR with content
SEEN
