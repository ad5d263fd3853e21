import { isIP } from 'node:net'
import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

export const config = readConfig(
  baseConfig.extend({
    /** Addresses and CIDR ranges of the proxies in front, comma-separated; only their X-Forwarded-* headers count. */
    TRUSTED_PROXIES: z
      .string()
      .default('')
      .transform((list) => list.split(',').flatMap((each) => each.trim() || []))
      .pipe(z.array(z.string().refine(isNetwork, 'must be addresses or CIDR ranges'))),
    /** Origins of pages elsewhere that may use a browser's session, comma-separated: `https://shop.example`. */
    ALLOWED_ORIGINS: z
      .string()
      .default('')
      .transform((list) => list.split(',').flatMap((each) => each.trim() || []))
      .pipe(z.array(z.string().refine((text) => URL.parse(text)?.origin === text, 'must be origins'))),
  }),
)
