#!/usr/bin/env bash
# opossum 9.0.0 (npm)
# Guess: a breaker at 50 % of failures wants to see some calls before it opens.
# Behaviour: one call that fails is 100 %: the first failure of a quiet hour opens it for 30 s. Only volumeThreshold, 0 at first, says otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . opossum@9.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import CircuitBreaker from 'opossum'
const pay = async (answer) => {
  if (answer !== 200) throw new Error(`answer ${answer}`)
  return answer
}
for (const options of [undefined, { volumeThreshold: 5 }]) {
  const breaker = new CircuitBreaker(pay, options)
  for (const answer of [503, 200]) console.log(options ? 'of five calls' : 'of itself', await breaker.fire(answer).catch(({ message }) => message))
  breaker.shutdown()
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
of itself answer 503
of itself Breaker is open
of five calls answer 503
of five calls 200
SEEN
