#!/usr/bin/env bash
# fast-json-patch 3.1.1 (npm)
# Guess: a patch whose test fails leaves the document as it was, and replace of what is not there is an error (RFC 6902).
# Behaviour: what stood before the test stays applied, and replace adds; only the third argument makes that an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . fast-json-patch@3.1.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import jsonpatch from 'fast-json-patch'
const order = { status: 'open', total: 5 }
const told = (work) => {
  try {
    return JSON.stringify(work().newDocument)
  } catch (error) {
    return error.name
  }
}
const patch = [{ op: 'replace', path: '/status', value: 'paid' }, { op: 'test', path: '/total', value: 9 }]
console.log(told(() => jsonpatch.applyPatch(order, patch)), JSON.stringify(order))
const missing = [{ op: 'replace', path: '/note', value: 'ring twice' }]
console.log(told(() => jsonpatch.applyPatch({}, missing)))
console.log(told(() => jsonpatch.applyPatch({}, missing, true)))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
TEST_OPERATION_FAILED {"status":"paid","total":5}
{"note":"ring twice"}
OPERATION_PATH_UNRESOLVABLE
SEEN
