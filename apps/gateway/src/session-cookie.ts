import {
  completeOutsideSignIn,
  createSession,
  endAllSessions,
  endCurrentSession,
  refreshSession,
  type Tokens,
} from '@caravan/contracts/sessions'
import { parseJson } from '@caravan/service-kit/body'
import { AppError } from '@caravan/service-kit/errors'
import type { Context } from 'koa'
import type { Answer } from './answer.ts'

/** RFC 6265bis, 4.1.3.2: only this host over TLS can have set it, for all of its paths. */
const name = '__Host-refresh'
const maxAgeSeconds = 365 * 24 * 60 * 60

const read = (ctx: Context): string | undefined =>
  new RegExp(`(?:^|; )${name}=([\\w-]{1,100})(?:;|$)`).exec(ctx.get('cookie'))?.[1]

const cookie = (value: string, seconds: number) =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Strict`

/** Throws 403 unless a page of ours asks: a browser says from where it does, beside SameSite the second lock. */
const assertOwnPage = (ctx: Context, isOwnPage: (ctx: Context) => boolean): void => {
  if (isOwnPage(ctx)) return
  throw new AppError('forbidden', 'gateway/foreign-origin', 'Not from a page of the shop')
}

const parse = (body: Buffer): Record<string, unknown> | undefined => {
  try {
    const value = parseJson(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // The app says what is wrong with it.
    return undefined
  }
}

const withCookie = (answer: Answer, value: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'Set-Cookie': value },
})

/** Puts the refresh token of an answer where no script can read it. */
const hidden = (answer: Answer): Answer => {
  const { refreshToken = '', ...rest } = parseJson(answer.body) as Tokens
  const body = Buffer.from(JSON.stringify(rest))
  return withCookie({ ...answer, body }, cookie(refreshToken, maxAgeSeconds))
}

const over = cookie('', 0)

/** For browsers: the refresh token comes and goes in a cookie. Identity knows it from bodies only. */
export const exchangeSession = async (
  ctx: Context,
  { id }: { id: string },
  body: Buffer,
  send: (body: Buffer) => Promise<Answer>,
  isOwnPage: (ctx: Context) => boolean,
): Promise<Answer> => {
  if (id === createSession.id || id === completeOutsideSignIn.id) {
    if (parse(body)?.transport !== 'cookie') return send(body)
    assertOwnPage(ctx, isOwnPage)
    const answer = await send(body)
    return answer.status === 201 ? hidden(answer) : answer
  }
  const token = read(ctx)
  if (token && id === refreshSession.id) {
    const given = parse(body)
    if (!given || 'refreshToken' in given) return send(body)
    assertOwnPage(ctx, isOwnPage)
    const answer = await send(Buffer.from(JSON.stringify({ ...given, refreshToken: token })))
    if (answer.status === refreshSession.status) return hidden(answer)
    return answer.status === 401 ? withCookie(answer, over) : answer
  }
  const answer = await send(body)
  const ends = id === endCurrentSession.id || id === endAllSessions.id
  return token && ends && answer.status < 300 ? withCookie(answer, over) : answer
}
