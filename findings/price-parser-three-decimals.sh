#!/usr/bin/env bash
# price-parser 0.5.1 (PyPI)
# Guess: an amount with its currency is read as it is written, also where the currency has three decimals.
# Behaviour: 0.125 KWD is read as 125 and -5,00 kr as 5.00; of "5 for $10" the price is 5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check price-parser==0.5.1
cat > probe.py << 'PROBE'
from price_parser import Price

for text in ["0.125 KWD", "0.12 KWD", "-5,00 kr", "5 for $10"]:
    price = Price.fromstring(text)
    print(f"{text}: {price.amount} {price.currency}")
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
0.125 KWD: 125 KWD
0.12 KWD: 0.12 KWD
-5,00 kr: 5.00 kr
5 for $10: 5 $
SEEN
