#!/usr/bin/env bash
# cockatiel 3.2.1 and exponential-backoff 3.1.3 (npm)
# Guess: maxAttempts: 3 and numOfAttempts: 3 make three calls.
# Behaviour: numOfAttempts counts the first call, maxAttempts does not: it makes four.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . cockatiel@3.2.1 exponential-backoff@3.1.3 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { ConstantBackoff, handleAll, retry } from 'cockatiel'
import { backOff } from 'exponential-backoff'
const count = async (run) => {
  let calls = 0
  const fail = () => {
    calls += 1
    throw new Error('not now')
  }
  await run(async () => fail()).catch(() => {})
  return calls
}
console.log('maxAttempts: 3', await count((call) => retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(1) }).execute(call)))
console.log('numOfAttempts: 3', await count((call) => backOff(call, { numOfAttempts: 3, startingDelay: 1 })))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
maxAttempts: 3 4
numOfAttempts: 3 3
SEEN
