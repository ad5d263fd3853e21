#!/usr/bin/env bash
# url-template 3.1.1 (npm)
# Guess: a list without members is as if not given (RFC 6570, 2.3), so /p{?tag} is /p.
# Behaviour: it is /p?tag=, a filter by the empty tag; with the star, {?tag*}, it is /p.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . url-template@3.1.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { parseTemplate } from 'url-template'
for (const template of ['/p{?tag}', '/p{?tag*}', '/p{?tag,page}'])
  for (const tag of [undefined, [], ['tea']]) console.log(template, JSON.stringify(tag) ?? 'not given', parseTemplate(template).expand({ tag, page: 2 }))
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
/p{?tag} not given /p
/p{?tag} [] /p?tag=
/p{?tag} ["tea"] /p?tag=tea
/p{?tag*} not given /p
/p{?tag*} [] /p
/p{?tag*} ["tea"] /p?tag=tea
/p{?tag,page} not given /p?page=2
/p{?tag,page} [] /p?tag=&page=2
/p{?tag,page} ["tea"] /p?tag=tea&page=2
SEEN
