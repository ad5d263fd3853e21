#!/usr/bin/env bash
# num2words 0.5.14 (PyPI)
# Guess: 100 and 100.0 euros have the same words.
# Behaviour: as a currency an int counts cents: 100 is one euro, 100.0 and the text 100 are a hundred.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check num2words==0.5.14
cat > probe.py << 'PROBE'
from decimal import Decimal

from num2words import num2words

for amount in [100, 100.0, "100", Decimal(100), 5]:
    print(type(amount).__name__, amount, "|", num2words(amount, to="currency", currency="EUR"))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
int 100 | one euro, zero cents
float 100.0 | one hundred euro, zero cents
str 100 | one hundred euro, zero cents
Decimal 100 | one hundred euro, zero cents
int 5 | zero euro, five cents
SEEN
