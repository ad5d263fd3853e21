#!/usr/bin/env bash
# fontkit 2.0.4 (npm), with the variable Noto Sans of @fontsource-variable/noto-sans 5.3.0 and fontverter 2.0.0 (npm)
# Guess: `getVariation` gives an instance that can be used as a font, whichever of the formats that fontkit reads it came in.
# Behaviour: of WOFF2 the instance has no glyphs: `getGlyph` gives null. Of TrueType it has them, but no subset of it can be written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . fontkit@2.0.4 @fontsource-variable/noto-sans@5.3.0 fontverter@2.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { readFileSync } from 'node:fs'
import * as fontkit from 'fontkit'
import fontverter from 'fontverter'
const woff2 = readFileSync('node_modules/@fontsource-variable/noto-sans/files/noto-sans-latin-wght-normal.woff2')
const truetype = await fontverter.convert(woff2, 'truetype')
const attempt = (call) => {
  try {
    return call()
  } catch (error) {
    return error.message
  }
}
for (const file of [woff2, truetype]) {
  const font = fontkit.create(file)
  const bold = font.getVariation({ wght: 700 })
  for (const [what, each] of [['as it is', font], ['bold', bold]]) {
    const glyph = each.getGlyph(font.glyphForCodePoint(0x54).id)
    console.log(font.type, what, 'T:', glyph && Math.round(glyph.advanceWidth))
    if (!glyph) continue
    const subset = each.createSubset()
    subset.includeGlyph(glyph)
    console.log(font.type, what, 'subset:', attempt(() => subset.encode().constructor.name))
  }
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
WOFF2 as it is T: 556
WOFF2 as it is subset: Uint8Array
WOFF2 bold T: null
TTF as it is T: 556
TTF as it is subset: Uint8Array
TTF bold T: 577
TTF bold subset: First argument to DataView constructor must be an ArrayBuffer
SEEN
