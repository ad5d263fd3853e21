#!/usr/bin/env bash
# ical-generator 10.2.0 and ical.js 2.2.1 (npm)
# Guess: the URL of an event is written as it is (a URI is no text, RFC 5545, 3.3.13) and comes back so.
# Behaviour: commas and semicolons in it get backslashes, which a reader keeps: the link of the event is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . ical-generator@10.2.0 ical.js@2.2.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import ICAL from 'ical.js'
import ical from 'ical-generator'
const calendar = ical()
const url = 'https://shop.example/pick-up?orders=7,8'
calendar.createEvent({ start: new Date('2026-07-01T10:00:00Z'), summary: 'orders 7, 8', url })
const event = new ICAL.Component(ICAL.parse(calendar.toString())).getFirstSubcomponent('vevent')
console.log(event.getFirstPropertyValue('summary'))
console.log(event.getFirstPropertyValue('url'))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
orders 7, 8
https://shop.example/pick-up?orders=7\,8
SEEN
