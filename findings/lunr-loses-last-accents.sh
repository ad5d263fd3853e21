#!/usr/bin/env bash
# lunr 2.3.9 (npm)
# Guess: a word is found by itself: Café by Café.
# Behaviour: a letter beyond ASCII at a word's end or start is cut off in the index, but not in the query: Café finds none, crème is found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . lunr@2.3.9 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createRequire } from 'node:module'
const lunr = createRequire(import.meta.url)('lunr')
const index = lunr(function () {
  this.ref('id')
  this.field('name')
  for (const name of ['Café', 'crème', 'Öl', 'Thé vert', 'чай']) this.add({ id: name, name })
})
for (const query of ['Café', 'caf', 'crème', 'Öl', 'thé', 'чай']) console.log(`${query}:`, index.search(query).map(({ ref }) => ref).join(', ') || 'none')
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
Café: none
caf: Café
crème: crème
Öl: none
thé: none
чай: none
SEEN
