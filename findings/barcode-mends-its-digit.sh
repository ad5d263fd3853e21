#!/usr/bin/env bash
# python-barcode 0.16.1 (PyPI)
# Guess: a GTIN whose check digit is wrong is refused, as one with too few digits is.
# Behaviour: it is printed with the digit that it ought to have: another number than was given. A GS1-128 keeps the wrong one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-barcode==0.16.1
cat > probe.py << 'PROBE'
import barcode

for kind, number in [("ean13", "4006381333931"), ("ean13", "4006381333930"), ("upca", "036000291450"), ("ean14", "04006381333930"), ("gs1_128", "(01)04006381333930")]:
    print(kind, number, "is printed as", barcode.get(kind, number).get_fullcode())
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
ean13 4006381333931 is printed as 4006381333931
ean13 4006381333930 is printed as 4006381333931
upca 036000291450 is printed as 036000291452
ean14 04006381333930 is printed as 04006381333931
gs1_128 (01)04006381333930 is printed as (01)04006381333930
SEEN
