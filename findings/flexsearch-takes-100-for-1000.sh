#!/usr/bin/env bash
# flexsearch 0.8.212 (npm)
# Guess: a search for 100 finds the pot 100, not the mug 1000 or the set 1100.
# Behaviour: it finds them all: repeated letters and digits count once, numbers are cut into threes, and 456 finds 123456.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . flexsearch@0.8.212 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import FlexSearch from 'flexsearch'
const index = new FlexSearch.Index()
const names = ['pot 100', 'mug 1000', 'set 1100', 'tea 123456', 'tray 10']
names.forEach((name, id) => index.add(id, name))
for (const query of ['100', '10', '456', '23']) console.log(`${query}:`, index.search(query).map((id) => names[id]).join(', ') || 'none')
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
100: pot 100, mug 1000, set 1100, tray 10
10: pot 100, mug 1000, set 1100, tray 10
456: tea 123456
23: none
SEEN
