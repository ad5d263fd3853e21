#!/usr/bin/env bash
# stockholm 0.5.7 (PyPI)
# Guess: Money(100, "JPY") is Money(100, JPY), 100 of its smallest units; nothing in euros is not equal to nothing in dollars.
# Behaviour: by the code alone every currency has cents, so 10000 of them; and 0 EUR == 0 USD, while 1 EUR != 1 USD.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check stockholm==0.5.7
cat > probe.py << 'PROBE'
from stockholm import Money
from stockholm.currency import JPY

for money in [Money(100, JPY), Money(100, "JPY"), Money("1.234", "KWD")]:
    print(money, money.sub_units)
print(Money(0, "EUR") == Money(0, "USD"), Money(1, "EUR") == Money(1, "USD"))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
100 JPY 100
100.00 JPY 10000
1.234 KWD 123.400
True False
SEEN
