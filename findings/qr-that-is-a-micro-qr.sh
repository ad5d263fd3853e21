#!/usr/bin/env bash
# segno 1.6.6 (PyPI)
# Guess: make() makes a QR code, whatever it is to say.
# Behaviour: short contents, such as a SKU, become a Micro QR code, which the cameras of telephones do not read; make_qr() never does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check segno==1.6.6
cat > probe.py << 'PROBE'
import segno

for content in ["A-12", "SKU-00123", "4006381333931", "https://shop.example/p/1"]:
    print(content, segno.make(content).designator, segno.make_qr(content).designator)
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
A-12 M2-M 1-H
SKU-00123 M3-M 1-H
4006381333931 M3-M 1-H
https://shop.example/p/1 2-M 2-M
SEEN
