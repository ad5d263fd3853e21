#!/usr/bin/env bash
# http-cache-semantics 4.3.0 (npm)
# Guess: as in RFC 9111: names of directives in any letters, a cookie forbids nothing, and immutable alone gives no age.
# Behaviour: Max-Age=60 is not read; with Set-Cookie max-age=60 counts for nothing, unless public; immutable alone is a thousand days.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . http-cache-semantics@4.3.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import CachePolicy from 'http-cache-semantics'
const request = { url: '/', method: 'GET', headers: {} }
for (const headers of [
  { 'cache-control': 'max-age=60' },
  { 'cache-control': 'Max-Age=60' },
  { 'cache-control': 'max-age=60', 'set-cookie': 'language=de' },
  { 'cache-control': 'public, max-age=60', 'set-cookie': 'language=de' },
  { 'cache-control': 'immutable' },
])
  console.log(JSON.stringify(headers), new CachePolicy(request, { status: 200, headers }).maxAge())
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
{"cache-control":"max-age=60"} 60
{"cache-control":"Max-Age=60"} 0
{"cache-control":"max-age=60","set-cookie":"language=de"} 0
{"cache-control":"public, max-age=60","set-cookie":"language=de"} 60
{"cache-control":"immutable"} 86400000
SEEN
