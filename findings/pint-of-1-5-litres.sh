#!/usr/bin/env bash
# Pint 0.25.3 (PyPI)
# Guess: a pack of "1,5 l" is one and a half litres or an error, "2 1/2 l" two and a half, and "6 pc" no length.
# Behaviour: they are 15 litres, one litre, and six parsecs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check Pint==0.25.3
cat > probe.py << 'PROBE'
import pint

units = pint.UnitRegistry()
for pack in ["1.5 l", "1,5 l", "2 1/2 l"]:
    print(pack, "=", round(units(pack).to("litre"), 6))
print("6 pc =", units("6 pc"))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
1.5 l = 1.5 liter
1,5 l = 15 liter
2 1/2 l = 1.0 liter
6 pc = 6 parsec
SEEN
