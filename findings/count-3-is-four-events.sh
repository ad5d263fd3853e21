#!/usr/bin/env bash
# recurring-ical-events 3.8.2 (PyPI) and ical.js 2.2.1 (npm)
# Guess: a rule with COUNT=3 gives three events.
# Behaviour: four by one library, if the start is none of the Mondays that the rule names; three Mondays by the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . ical.js@2.2.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check recurring-ical-events==3.8.2
cat > probe.py << 'PROBE'
import subprocess

import icalendar
import recurring_ical_events

text = "\r\n".join(
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:probe", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z"]
    + ["DTSTART:20260101T090000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3", "END:VEVENT", "END:VCALENDAR"]
)
events = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between((2026, 1, 1), (2026, 3, 1))
print("recurring-ical-events", *sorted(f"{event.start:%m-%d}" for event in events))
by_ical_js = """
import ICAL from 'ical.js'
const event = new ICAL.Event(new ICAL.Component(ICAL.parse(process.argv[1])).getFirstSubcomponent('vevent'))
const days = []
for (let at = event.iterator(), next = at.next(); next; next = at.next()) days.push(next.toString().slice(5, 10))
console.log('ical.js', ...days)
"""
print(subprocess.run(["node", "--input-type=module", "-e", by_ical_js, "--", text], capture_output=True, text=True, check=True).stdout.strip())
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
recurring-ical-events 01-01 01-05 01-12 01-19
ical.js 01-05 01-12 01-19
SEEN
