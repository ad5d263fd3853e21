#!/usr/bin/env bash
# negotiator 1.1.0 (npm), the one behind Koa's acceptsLanguages
# Guess: zh-Hant-TW finds zh-Hant, as the lookup of RFC 4647 (3.4) cuts from the end, and en does not stand for en-GB.
# Behaviour: only the first part counts: zh-Hant-TW finds zh but not zh-Hant, and en finds en-GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . negotiator@1.1.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import Negotiator from 'negotiator'
for (const [wanted, ...offered] of [
  ['zh-Hant-TW', 'zh-Hans', 'zh-Hant'],
  ['zh-Hant-TW', 'zh'],
  ['de-AT', 'de'],
  ['en', 'en-GB'],
])
  console.log(`${wanted} of ${offered}:`, new Negotiator({ headers: { 'accept-language': wanted } }).language(offered) ?? 'none')
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
zh-Hant-TW of zh-Hans,zh-Hant: none
zh-Hant-TW of zh: zh
de-AT of de: de
en of en-GB: en-GB
SEEN
