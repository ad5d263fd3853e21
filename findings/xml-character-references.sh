#!/usr/bin/env bash
# fast-xml-parser 5.12.1 (npm)
# Guess: `&#33590;` is read as its character, as `&amp;` is (XML 1.0, 4.1), and text stays text.
# Behaviour: by default a numeric reference stays as it is written, while a SKU such as 00123, 1e5 or 0x1F becomes a number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . fast-xml-parser@5.12.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { XMLParser } from 'fast-xml-parser'
const feed = '<item><title>&#33590; &amp; tea</title><sku>00123</sku><sku>1e5</sku><sku>0x1F</sku></item>'
console.log(JSON.stringify(new XMLParser().parse(feed).item))
console.log(JSON.stringify(new XMLParser({ htmlEntities: true, parseTagValue: false }).parse(feed).item))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
{"title":"&#33590; & tea","sku":[123,100000,31]}
{"title":"茶 & tea","sku":["00123","1e5","0x1F"]}
SEEN
