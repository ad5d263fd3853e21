#!/usr/bin/env bash
# cloudevents 10.0.0 (npm)
# Guess: data that is a text is sent as JSON where its content type says JSON, and what is not ASCII in an attribute percent-encoded.
# Behaviour: it is sent bare, so the body is no JSON; a text of JSON arrives as its content; München stays so in a header.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . cloudevents@10.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { CloudEvent, HTTP } from 'cloudevents'
const told = (body) => {
  try {
    return JSON.stringify(JSON.parse(body))
  } catch {
    return 'no JSON'
  }
}
for (const data of ['ring twice', '{"sku":"A-12"}']) {
  const { headers, body } = HTTP.binary(new CloudEvent({ type: 'order.placed', source: '/shop', city: 'München', data }))
  console.log(headers['content-type'], '|', body, '|', told(body), '|', headers['ce-city'], '|', JSON.stringify(HTTP.toEvent({ headers, body }).data))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
application/json; charset=utf-8 | ring twice | no JSON | München | "ring twice"
application/json; charset=utf-8 | {"sku":"A-12"} | {"sku":"A-12"} | München | {"sku":"A-12"}
SEEN
