#!/usr/bin/env bash
# koa 3.3.0, @koa/etag 5.0.2 and koa-compress 5.2.2 (npm)
# Guess: the compressed answer has another ETag than the plain one, or a weak one: other bytes (RFC 9110, 8.8.3).
# Behaviour: both have the same strong one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . koa@3.3.0 @koa/etag@5.0.2 koa-compress@5.2.2 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import { once } from 'node:events'
import { get } from 'node:http'
import etag from '@koa/etag'
import Koa from 'koa'
import compress from 'koa-compress'
const app = new Koa()
app.use(compress())
app.use(etag())
app.use((ctx) => {
  ctx.body = { name: 'tea '.repeat(1000) }
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
for (const encoding of ['identity', 'gzip']) {
  const request = get({ host: '127.0.0.1', port: server.address().port, headers: { 'accept-encoding': encoding }, agent: false })
  const [answer] = await once(request, 'response')
  answer.resume()
  console.log(answer.headers['content-encoding'] ?? 'plain', answer.headers.etag)
}
server.close()
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
plain "fab-wGl7j3bHl4AEEepxsn7RdRVOYZ4"
gzip "fab-wGl7j3bHl4AEEepxsn7RdRVOYZ4"
SEEN
