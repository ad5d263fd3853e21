#!/usr/bin/env bash
# mailparser 3.14.2 and postal-mime 4.0.0 (npm)
# Guess: a mail whose Date header cannot be read has no date, or an invalid one.
# Behaviour: mailparser gives it the time at which it was parsed; postal-mime gives the header as it is. Without the header neither gives a date.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . mailparser@3.14.2 postal-mime@4.0.0 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { simpleParser } from 'mailparser'
import PostalMime from 'postal-mime'
for (const header of ['Date: Tue, 31 Mar 2026 10:00:00 +0000\r\n', 'Date: last Tuesday\r\n', '']) {
  const mail = `${header}From: anna@example.com\r\nSubject: a return\r\n\r\nhello\r\n`
  const before = Date.now()
  const { date } = await simpleParser(mail)
  const byMailparser = date === undefined ? 'none' : date.getTime() >= before ? 'now' : date.toISOString()
  console.log(header.trim() || 'no header', '|', byMailparser, '|', (await PostalMime.parse(mail)).date ?? 'none')
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
Date: Tue, 31 Mar 2026 10:00:00 +0000 | 2026-03-31T10:00:00.000Z | 2026-03-31T10:00:00.000Z
Date: last Tuesday | now | last Tuesday
no header | none | none
SEEN
