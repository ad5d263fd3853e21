#!/usr/bin/env bash
# feedgen 1.0.0 (PyPI)
# Guess: the entries of the feed stand in the order in which they were added.
# Behaviour: the last comes first: add_entry puts each before the others, unless order="append" is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check feedgen==1.0.0
cat > probe.py << 'PROBE'
import re

from feedgen.feed import FeedGenerator

for options in [{}, {"order": "append"}]:
    feed = FeedGenerator()
    feed.title("New")
    feed.link(href="https://shop.example/")
    feed.description("new products")
    for sku in ["A-1", "A-2", "A-3"]:
        feed.add_entry(**options).title(sku)
    print(options, *re.findall(r"A-\d", feed.rss_str().decode()))
PROBE
venv/bin/python probe.py | tee seen
diff seen - << 'SEEN'
{} A-3 A-2 A-1
{'order': 'append'} A-1 A-2 A-3
SEEN
