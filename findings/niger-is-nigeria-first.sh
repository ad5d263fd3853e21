#!/usr/bin/env bash
# pycountry 26.2.16 (PyPI)
# Guess: the first country of a fuzzy search for a whole name is the one of that name.
# Behaviour: for Niger it is Nigeria, for Korea the North; Turkey and Macau, names of CLDR and of old, find none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pycountry==26.2.16
cat > probe.py << 'PROBE'
import pycountry

for name in ["Niger", "Korea", "Ireland", "Turkey", "Macau"]:
    try:
        print(name, *(country.alpha_2 for country in pycountry.countries.search_fuzzy(name)))
    except LookupError:
        print(name, "none")
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
Niger NG NE
Korea KP KR
Ireland IE GB PG
Turkey none
Macau none
SEEN
