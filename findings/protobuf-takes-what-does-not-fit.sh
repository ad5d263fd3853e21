#!/usr/bin/env bash
# protobufjs 8.8.1 (npm)
# Guess: fromObject refuses a name that the enum has not and a number that an int32 cannot hold.
# Behaviour: PAYED becomes 0, the first state, 3000000000 a negative number; verify lets that number pass and refuses even PAID.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . protobufjs@8.8.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import protobuf from 'protobufjs'
const { root } = protobuf.parse(`
  syntax = "proto3";
  enum State { OPEN = 0; PAID = 1; }
  message Order { State state = 1; int32 cents = 2; bool gift = 3; }
`)
const Order = root.lookupType('Order')
for (const given of [{ state: 'PAID' }, { state: 'PAYED' }, { cents: 3000000000 }, { cents: 1.9 }, { cents: 'abc' }, { gift: 'false' }]) {
  const read = Order.decode(Order.encode(Order.fromObject(given)).finish())
  console.log(JSON.stringify(given), JSON.stringify(Order.toObject(read, { enums: String, defaults: true })), '|', Order.verify(given))
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
{"state":"PAID"} {"state":"PAID","cents":0,"gift":false} | state: enum value expected
{"state":"PAYED"} {"state":"OPEN","cents":0,"gift":false} | state: enum value expected
{"cents":3000000000} {"state":"OPEN","cents":-1294967296,"gift":false} | null
{"cents":1.9} {"state":"OPEN","cents":1,"gift":false} | cents: integer expected
{"cents":"abc"} {"state":"OPEN","cents":0,"gift":false} | cents: integer expected
{"gift":"false"} {"state":"OPEN","cents":0,"gift":true} | gift: boolean expected
SEEN
