#!/usr/bin/env bash
# ical-generator 10.2.0 (npm)
# Guess: an event at the instant 10:00Z in the zone Europe/Berlin is written as 12:00 in July.
# Behaviour: a Date is written in the server's own zone under the name of that other zone: 10:00 in Berlin, two hours off.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . ical-generator@10.2.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import ical from 'ical-generator'
const start = new Date('2026-07-01T10:00:00Z')
for (const timezone of [null, 'Europe/Berlin', 'Asia/Tokyo']) {
  const calendar = ical()
  calendar.createEvent({ start, timezone, summary: 'pick-up' })
  console.log(calendar.toString().match(/^DTSTART.*$/m)[0].trim())
}
PROBE
TZ=UTC node probe.mjs | tee seen
diff seen - << 'SEEN'
DTSTART:20260701T100000Z
DTSTART;TZID=Europe/Berlin:20260701T100000
DTSTART;TZID=Asia/Tokyo:20260701T100000
SEEN
