#!/usr/bin/env bash
# fontkit 2.0.4 (npm), with Noto Sans of @fontsource/noto-sans 5.3.0 (npm)
# Guess: fontkit reads WOFF2, so the subset that it makes of one, as pdfkit embeds it, has the letters of the font.
# Behaviour: of WOFF they are the same; of WOFF2 the letters have other outlines, without an error, until there is an é.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . fontkit@2.0.4 @fontsource/noto-sans@5.3.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import * as fontkit from 'fontkit'
for (const format of ['woff', 'woff2']) {
  const font = await fontkit.open(`node_modules/@fontsource/noto-sans/files/noto-sans-latin-400-normal.${format}`)
  for (const letter of ['a', 'T', 'é'])
    try {
      const glyph = font.glyphForCodePoint(letter.codePointAt(0))
      const subset = font.createSubset()
      const place = subset.includeGlyph(glyph)
      const embedded = fontkit.create(Buffer.from(subset.encode())).getGlyph(place)
      console.log(format, letter, embedded.path.toSVG() === glyph.path.toSVG() ? 'the same outline' : 'another outline')
    } catch (error) {
      console.log(format, letter, error.message)
    }
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
woff a the same outline
woff T the same outline
woff é the same outline
woff2 a another outline
woff2 T another outline
woff2 é Offset is outside the bounds of the DataView
SEEN
