import { accessOperations } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { getDiscovery, getKeys, identityOperations } from '@caravan/contracts/identity'
import { invokedPath } from '@caravan/contracts/operation'
import { createAccessState } from '@caravan/service-kit/access-state'
import { every } from '@caravan/service-kit/background'
import { runService } from '@caravan/service-kit/run-service'
import { defaultAccess } from './access/access-defaults.ts'
import { accessRoutes } from './access/access-routes.ts'
import { createAccessStore } from './access/access-store.ts'
import { accountRoutes } from './accounts/account-routes.ts'
import { createAccountStore } from './accounts/account-store.ts'
import { createAddressStore } from './accounts/address-store.ts'
import { createCredentialStore } from './accounts/credential-store.ts'
import { ensureOperator } from './accounts/ensure-operator.ts'
import { createMailLinkStore } from './accounts/mail-link-store.ts'
import { createMailer } from './accounts/mailer.ts'
import { createOutsideIdentityStore } from './accounts/outside-identity-store.ts'
import { openOutsideProvider } from './accounts/outside-provider.ts'
import { createOutsideSignIn } from './accounts/outside-sign-in.ts'
import { createPasswords } from './accounts/passwords.ts'
import { createAuditLog } from './audit/audit-log-store.ts'
import { auditRoutes, auditSubscriptions } from './audit/audit-routes.ts'
import { config } from './config.ts'
import { createProof } from './sessions/proof.ts'
import { sessionRoutes } from './sessions/session-routes.ts'
import { createSessionStore } from './sessions/session-store.ts'
import { createSignInLimitStore } from './sessions/sign-in-limit-store.ts'
import { createAccessTokens } from './tokens/access-tokens.ts'
import { clientRoutes } from './tokens/client-routes.ts'
import { createClientStore } from './tokens/client-store.ts'
import { createKeys } from './tokens/keys.ts'
import { tokenRoutes } from './tokens/token-routes.ts'

await runService({
  name: 'identity',
  config,
  operations: [...identityOperations, ...accessOperations],
  migrations: new URL('../migrations/', import.meta.url),
  // The bearer middleware of the gateway's sidecar reads these from this port, past identity's own sidecar.
  openPaths: [getKeys, getDiscovery].map(invokedPath),
  build: async ({ sidecar, db, outbox, log }) => {
    const secret = await sidecar.secret('identity-token-secret')
    const accounts = createAccountStore(db)
    const addresses = createAddressStore(db)
    const links = createMailLinkStore(db, secret)
    const auditLog = createAuditLog(db)
    const state = createAccessState()
    const access = createAccessStore({
      ...{ db, outbox, tokenSeconds: config.ACCESS_TOKEN_SECONDS },
      audit: auditLog.appendDeed,
    })
    await access.seed(defaultAccess(operations))
    await access.dropOrphans()
    const clients = createClientStore(db, { access, outbox })
    const sessions = createSessionStore(db, { secret, sessionDays: config.SESSION_DAYS, access, outbox })
    const identities = createOutsideIdentityStore(db)
    const limits = createSignInLimitStore(db, {
      failures: config.SIGN_IN_FAILURES,
      addressFailures: config.SIGN_IN_ADDRESS_FAILURES,
      windowSeconds: config.SIGN_IN_WINDOW_SECONDS,
      banSeconds: config.SIGN_IN_BAN_SECONDS,
    })
    const credentials = createCredentialStore({
      ...{ db, outbox, access, accounts, links, sessions, identities, limits },
    })
    const passwords = await createPasswords()
    const proof = createProof({ limits, passwords })
    const keys = await createKeys(() => sidecar.secret('identity-signing-key'), log)
    const tokens = createAccessTokens({
      ring: keys.current,
      issuer: config.TOKEN_ISSUER,
      memberSeconds: config.ACCESS_TOKEN_SECONDS,
    })
    const provider =
      config.OIDC_ISSUER &&
      openOutsideProvider(sidecar, {
        ...{ issuer: config.OIDC_ISSUER, clientId: config.OIDC_CLIENT_ID },
        clientSecret: await sidecar.secret('oidc-client-secret'),
        redirectUri: new URL('outside-sign-in', config.SHOP_URL ?? config.TOKEN_ISSUER).href,
      })
    const outside = createOutsideSignIn({
      ...{ secret, accounts, credentials, passwords, identities },
      ...(provider ? { provider } : {}),
    })
    const clientSecret = await sidecar.secret('gateway-client-secret')
    await ensureOperator(accounts, access, passwords, log, {
      email: await sidecar.secret('operator-email'),
      password: await sidecar.secret('operator-password'),
    })
    return {
      routes: [
        ...accountRoutes({
          ...{ accounts, access: state, addresses, credentials, links, sessions, passwords, proof },
        }),
        ...sessionRoutes({
          ...{ accounts, access: state, sessions, proof, passwords, tokens, outside },
          audit: auditLog.note,
        }),
        ...accessRoutes({ store: access, state, clients }),
        ...auditRoutes(auditLog),
        ...clientRoutes({ clients, tokens, access: state }),
        ...tokenRoutes(tokens, clientSecret),
      ],
      subscriptions: auditSubscriptions(auditLog),
      audit: auditLog.note,
      keys: tokens.key,
      access: { state, read: access.changesSince },
      background: [
        keys.refresh,
        createMailer(links, { sidecar, log, shopUrl: config.SHOP_URL ?? config.TOKEN_ISSUER }),
        every(3_600_000, 'audit-log-head', log, async () => {
          log.info(await auditLog.head(), 'audit log head')
        }),
        every(3_600_000, 'orphaned-access', log, access.dropOrphans),
        every(60_000, 'trim-identity', log, async () => {
          await sessions.trim()
          await links.trim()
          await limits.trim()
          await access.trim()
          await identities.trim()
        }),
      ],
    }
  },
})
