#!/usr/bin/env bash
# html-to-text 10.0.1 (npm)
# Guess: the text keeps the letters of the HTML.
# Behaviour: headings come in capitals, so a coupon aB3x in one reads AB3X, and Straße STRASSE.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . html-to-text@10.0.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { convert } from 'html-to-text'
console.log(convert('<h2>Your coupon: aB3x</h2><p>Your coupon: aB3x</p><h3>Hauptstraße 1</h3>'))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
YOUR COUPON: AB3X

Your coupon: aB3x


HAUPTSTRASSE 1
SEEN
