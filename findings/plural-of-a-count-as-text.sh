#!/usr/bin/env bash
# i18next 26.7.2, node-polyglot 2.6.0 and intl-messageformat 12.1.5 (npm)
# Guess: a count that comes as the text '2' gives the plural, as it does where JavaScript compares and adds.
# Behaviour: i18next gives the bare key, node-polyglot all forms with the bars between; intl-messageformat gives the plural.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . i18next@26.7.2 node-polyglot@2.6.0 intl-messageformat@12.1.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { createInstance } from 'i18next'
import { IntlMessageFormat } from 'intl-messageformat'
import Polyglot from 'node-polyglot'
const i18next = createInstance()
const translation = { items_one: '{{count}} item', items_other: '{{count}} items' }
await i18next.init({ lng: 'en', resources: { en: { translation } }, showSupportNotice: false })
const polyglot = new Polyglot({ locale: 'en', phrases: { items: '%{smart_count} item |||| %{smart_count} items' } })
const message = new IntlMessageFormat('{count, plural, one {# item} other {# items}}', 'en')
for (const count of [2, '2'])
  console.log(typeof count, '|', i18next.t('items', { count }), '|', polyglot.t('items', count), '|', message.format({ count }))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
number | 2 items | 2 items | 2 items
string | items | %{smart_count} item |||| %{smart_count} items | 2 items
SEEN
