import { createHmac } from 'node:crypto'

/**
 * The value of `Psp-Signature` for a raw body, by Stripe's scheme: the HMAC-SHA256 of `<t>.<body>` in hex, where `t` is
 * in Unix seconds. Source: https://docs.stripe.com/webhooks#verify-manually
 */
export function sign(body: string, secret: string, t = Math.floor(Date.now() / 1000)): string {
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
  return `t=${t},v1=${v1}`
}
