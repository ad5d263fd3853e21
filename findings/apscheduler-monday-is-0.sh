#!/usr/bin/env bash
# APScheduler 3.11.3 and croniter 7.0.0 (PyPI)
# Guess: what from_crontab reads is a crontab: 1 is Monday, 0 and 7 are Sunday, and of a day of the month and one of the week either counts.
# Behaviour: 0 is Monday, 1 Tuesday, 7 an error, and both must hold; croniter reads them as cron does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check APScheduler==3.11.3 croniter==7.0.0
cat > probe.py << 'PROBE'
from datetime import datetime, timezone

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

start = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
for crontab in ["0 0 * * 0", "0 0 * * 1", "0 0 * * mon", "0 0 1 * mon", "0 0 * * 7"]:
    try:
        found = CronTrigger.from_crontab(crontab, timezone=timezone.utc).get_next_fire_time(None, start).strftime("%a %F")
    except ValueError:
        found = "error"
    print(crontab, "|", found, "|", croniter(crontab, start).get_next(datetime).strftime("%a %F"))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
0 0 * * 0 | Mon 2026-12-07 | Sun 2026-12-06
0 0 * * 1 | Tue 2026-12-08 | Mon 2026-12-07
0 0 * * mon | Mon 2026-12-07 | Mon 2026-12-07
0 0 1 * mon | Mon 2027-02-01 | Mon 2026-12-07
0 0 * * 7 | error | Sun 2026-12-06
SEEN
