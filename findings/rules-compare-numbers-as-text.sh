#!/usr/bin/env bash
# json-rules-engine 7.3.1 (npm)
# Guess: lessThan compares numbers, also those that come as text, or refuses text.
# Behaviour: two texts that are numbers pass the check for numbers and are then compared as text: 9 is not less than 10.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . json-rules-engine@7.3.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { Engine } from 'json-rules-engine'
for (const [total, limit] of [[9, 10], ['9', 10], ['9', '10'], ['100', '99.5'], ['nine', 10]]) {
  const engine = new Engine()
  engine.addRule({ conditions: { all: [{ fact: 'total', operator: 'lessThan', value: limit }] }, event: { type: 'small' } })
  const { events } = await engine.run({ total })
  console.log(`${JSON.stringify(total)} lessThan ${JSON.stringify(limit)}: ${events.length === 1}`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
9 lessThan 10: true
"9" lessThan 10: true
"9" lessThan "10": false
"100" lessThan "99.5": true
"nine" lessThan 10: false
SEEN
