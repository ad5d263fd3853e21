import { baseConfig, readConfig } from '@caravan/service-kit/config'
import { z } from 'zod'

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most)

export const config = readConfig(
  baseConfig.extend({
    /** Life of a signed-in account's access token. */
    ACCESS_TOKEN_SECONDS: whole(1, 86_400).default(300),
    /** A session that is not used for so long is over. */
    SESSION_DAYS: whole(1, 365).default(30),
    /** Where the links in mails lead; the issuer's own address where it is not set. */
    SHOP_URL: z.url().optional(),
    /** An OpenID provider to sign in with, and our id there; its secret is `oidc-client-secret`. */
    OIDC_ISSUER: z.url().optional(),
    OIDC_CLIENT_ID: z.string().min(1).default('caravan'),
    /** So many wrong passwords for one account within the window shut their address out of it. */
    SIGN_IN_FAILURES: whole(1, 1000).default(10),
    /** So many from one address, for whatever accounts, ban it. */
    SIGN_IN_ADDRESS_FAILURES: whole(1, 10_000).default(100),
    SIGN_IN_WINDOW_SECONDS: whole(1, 86_400).default(600),
    SIGN_IN_BAN_SECONDS: whole(1, 2_592_000).default(10_800),
  }),
)
