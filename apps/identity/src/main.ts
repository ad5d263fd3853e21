import { accessOperations } from '@caravan/contracts/access'
import { operations } from '@caravan/contracts/all'
import { identityOperations } from '@caravan/contracts/identity'
import { createAccessState } from '@caravan/service-kit/access-state'
import { every } from '@caravan/service-kit/background'
import { runService } from '@caravan/service-kit/run-service'
import { defaultAccess } from './access-defaults.ts'
import { accessRoutes } from './access-routes.ts'
import { createAccessStore } from './access-store.ts'
import { createAccessTokens } from './access-tokens.ts'
import { createAccountStore } from './account-store.ts'
import { config } from './config.ts'
import { ensureOperator } from './ensure-operator.ts'
import { createPasswords } from './passwords.ts'
import { routes } from './routes.ts'

await runService({
  name: 'identity',
  config,
  operations: [...identityOperations, ...accessOperations],
  migrations: new URL('../migrations/', import.meta.url),
  // The bearer middleware of the gateway's sidecar reads these from this port, past identity's own sidecar.
  openPaths: ['/.well-known/jwks.json', '/.well-known/openid-configuration'],
  build: async ({ sidecar, db, log, outbox }) => {
    const accounts = createAccountStore(db)
    const state = createAccessState()
    const access = createAccessStore({ db, outbox, tokenSeconds: config.ACCESS_TOKEN_SECONDS })
    await access.seed(defaultAccess(operations))
    const passwords = await createPasswords()
    const tokens = createAccessTokens({
      privateKey: await sidecar.secret('identity-signing-key'),
      issuer: config.TOKEN_ISSUER,
      memberSeconds: config.ACCESS_TOKEN_SECONDS,
    })
    const clientSecret = await sidecar.secret('gateway-client-secret')
    await ensureOperator(accounts, access, passwords, log, {
      email: await sidecar.secret('operator-email'),
      password: await sidecar.secret('operator-password'),
    })
    return {
      routes: [
        ...routes({ accounts, access: state, passwords, tokens, clientSecret }),
        ...accessRoutes({ store: access, state, accounts }),
      ],
      keys: tokens.key,
      access: { state, read: access.changesSince },
      background: [every(60_000, 'trim-access', log, access.trim)],
    }
  },
})
