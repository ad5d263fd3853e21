#!/usr/bin/env bash
# casbin 5.51.1 (npm)
# Guess: roles inherit however long the chain is, or an error says that it is too long.
# Behaviour: `enforce` follows ten links and then silently says no, while `getImplicitRolesForUser` still counts every role.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . casbin@5.51.1 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin'
const model = `[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`
for (const links of [1, 10, 11]) {
  const chain = Array.from({ length: links }, (_, n) => `g, role${n}, role${n + 1}`)
  const rules = [`p, role${links}, books, read`, ...chain].join('\n')
  const enforcer = await newEnforcer(newModelFromString(model), new StringAdapter(rules))
  const roles = await enforcer.getImplicitRolesForUser('role0')
  console.log(`${links} links: ${await enforcer.enforce('role0', 'books', 'read')}, ${roles.length} roles`)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
1 links: true, 1 roles
10 links: true, 10 roles
11 links: false, 11 roles
SEEN
