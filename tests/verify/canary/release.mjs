// Preloaded into an app, it makes a release of the same image: its name is in each answer, and its fault, if it has one, among what
// the app measures of its requests.
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'

const { RELEASE = '', FAULT } = process.env
const Koa = createRequire(`${process.cwd()}/`)('koa')

const isProbe = /^\/(?:healthz|readyz|metrics|dapr\/)/

const release = async (ctx, next) => {
  ctx.set('x-release', RELEASE)
  if (isProbe.test(ctx.path)) return next()
  if (FAULT === 'slow') await pause(900)
  if (FAULT === 'faulty' && Math.random() < 0.01) ctx.throw(500)
  return next()
}

const { use } = Koa.prototype
Koa.prototype.use = function (middleware) {
  if (middleware.router) use.call(this, release)
  return use.call(this, middleware)
}
