#!/usr/bin/env bash
# Babel 2.19.0 (PyPI), beside Intl.NumberFormat
# Guess: the server's mail and the browser's page, both by CLDR, write 0.125 dollars alike.
# Behaviour: Babel rounds a half to the even cent, 0.12, Intl away from zero, 0.13.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check Babel==2.19.0
cat > probe.py << 'PROBE'
import subprocess
from decimal import Decimal

from babel.numbers import format_currency

in_browser = "console.log(new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(process.argv[1]))"
for amount in ["0.115", "0.125", "0.135", "0.145", "-0.125"]:
    by_intl = subprocess.run(["node", "-e", in_browser, "--", amount], capture_output=True, text=True, check=True)
    print(amount, format_currency(Decimal(amount), "USD", locale="en_US"), by_intl.stdout.strip())
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
0.115 $0.12 $0.12
0.125 $0.12 $0.13
0.135 $0.14 $0.14
0.145 $0.14 $0.15
-0.125 -$0.12 -$0.13
SEEN
