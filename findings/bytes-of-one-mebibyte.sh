#!/usr/bin/env bash
# bytes 3.1.2 (npm), which reads the limits of body parsers
# Guess: a size that it cannot read, such as 1,5mb or 10 megabytes, is null, and 1MiB is 1048576 where 1MB is that.
# Behaviour: what begins with a number counts as so many bytes: 1MiB is one byte, 10 megabytes are ten.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . bytes@3.1.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import bytes from 'bytes'
for (const size of ['1MB', '1MiB', '1,5mb', '10 megabytes', '2 m', 'many']) console.log(size, bytes.parse(size))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
1MB 1048576
1MiB 1
1,5mb 1
10 megabytes 10
2 m 2
many null
SEEN
