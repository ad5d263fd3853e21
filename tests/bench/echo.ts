import Koa from 'koa'

/** The smallest Koa app that reads a body and answers JSON; the port is its argument. */

const app = new Koa()
app.use(async (ctx) => {
  for await (const _ of ctx.req);
  ctx.body = { outcome: 'reserved' }
})
app.listen(Number(process.argv[2]), '127.0.0.1')
