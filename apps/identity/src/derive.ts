import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA256 in base64url: whoever has the text and not the secret cannot tell it. `use` keeps the uses apart. */
export const derive = (secret: string, use: 'refresh' | 'link' | 'pkce' | 'nonce', text: string): string =>
  createHmac('sha256', secret).update(`${use}\n${text}`).digest('base64url')

/** 256 random bits. */
export const randomToken = (): string => randomBytes(32).toString('base64url')

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** SHA-256 in hex: what is stored of a token. It has 256 random bits, so a fast hash is enough. */
export const hashOf = (text: string): string => digest(text).toString('hex')

/** In a time that does not tell where they differ. */
export const isSame = (given: string, secret: string): boolean =>
  timingSafeEqual(digest(given), digest(secret))
