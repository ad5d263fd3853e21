import { contentDigest } from '@caravan/service-kit/content-digest'
import Koa from 'koa'

/** The smallest Koa app that reads a body and answers JSON, with the digest that the gateway wants to see; the port is its argument. */

const answer = JSON.stringify({ outcome: 'reserved' })
const digest = contentDigest(answer)

const app = new Koa()
app.use(async (ctx) => {
  for await (const _ of ctx.req);
  ctx.set('Content-Digest', digest)
  ctx.type = 'json'
  ctx.body = answer
})
app.listen(Number(process.argv[2]), '127.0.0.1')
