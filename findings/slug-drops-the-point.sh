#!/usr/bin/env bash
# slug 12.0.1 (npm)
# Guess: a pot of 1.5 l and one of 15 l have different slugs, and a name without Latin letters has an empty one.
# Behaviour: both pots are pot-15-l, and the name in Chinese becomes letters of its Base64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . slug@12.0.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import slug from 'slug'
for (const name of ['Pot 1.5 l', 'Pot 15 l', '茶', '茶 tea', 'Cable 3/4"', 'Cable 34']) console.log(`${name}: ${slug(name)}`)
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
Pot 1.5 l: pot-15-l
Pot 15 l: pot-15-l
茶: 6iy2
茶 tea: tea
Cable 3/4": cable-34
Cable 34: cable-34
SEEN
