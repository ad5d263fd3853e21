#!/usr/bin/env bash
# croner 11.0.1 and cron-parser 5.10.6 (npm)
# Guess: a job for 02:30 of a night that has no 02:30 runs at the same instant by both, or by both not at all.
# Behaviour: croner runs it as the clock jumps, at 03:00; cron-parser at 03:30. In the night that has 02:30 twice they agree.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . croner@11.0.1 cron-parser@5.10.6 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { Cron } from 'croner'
import { CronExpressionParser } from 'cron-parser'
for (const [night, from] of [['spring', '2026-03-28T12:00:00Z'], ['autumn', '2026-10-24T12:00:00Z']]) {
  const currentDate = new Date(from)
  const byCroner = new Cron('30 2 * * *', { timezone: 'Europe/Berlin' }).nextRun(currentDate)
  const byParser = CronExpressionParser.parse('30 2 * * *', { tz: 'Europe/Berlin', currentDate }).next()
  console.log(night, byCroner.toISOString(), byParser.toISOString())
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
spring 2026-03-29T01:00:00.000Z 2026-03-29T01:30:00.000Z
autumn 2026-10-25T00:30:00.000Z 2026-10-25T00:30:00.000Z
SEEN
