#!/usr/bin/env bash
# parse-duration 2.1.9 and ical.js 2.2.1 (npm)
# Guess: P1M is a month (ISO 8601), or refused where months are not known; a minute is PT1M.
# Behaviour: both read it as a minute.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . parse-duration@2.1.9 ical.js@2.2.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import ICAL from 'ical.js'
import parse from 'parse-duration'
for (const text of ['P1D', 'PT1M', 'P1M', 'P1W']) console.log(text, parse(text, 's'), ICAL.Duration.fromString(text).toSeconds())
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
P1D 86400 86400
PT1M 60 60
P1M 60 60
P1W 604800 604800
SEEN
