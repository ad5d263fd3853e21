import { identityOperations } from '@caravan/contracts/identity'
import { runService } from '@caravan/service-kit/run-service'
import { createAccessTokens } from './access-tokens.ts'
import { createAccountStore } from './account-store.ts'
import { config } from './config.ts'
import { ensureOperator } from './ensure-operator.ts'
import { createPasswords } from './passwords.ts'
import { routes } from './routes.ts'

await runService({
  name: 'identity',
  config,
  operations: identityOperations,
  migrations: new URL('../migrations/', import.meta.url),
  // The bearer middleware of the gateway's sidecar reads these from this port, past identity's own sidecar.
  openPaths: ['/.well-known/jwks.json', '/.well-known/openid-configuration'],
  build: async ({ sidecar, db, log }) => {
    const accounts = createAccountStore(db)
    const passwords = await createPasswords()
    const tokens = createAccessTokens({
      privateKey: await sidecar.secret('identity-signing-key'),
      issuer: config.TOKEN_ISSUER,
      memberSeconds: config.ACCESS_TOKEN_SECONDS,
    })
    const clientSecret = await sidecar.secret('gateway-client-secret')
    await ensureOperator(accounts, passwords, log, {
      email: await sidecar.secret('operator-email'),
      password: await sidecar.secret('operator-password'),
    })
    return { routes: routes({ accounts, passwords, tokens, clientSecret }), keys: tokens.key }
  },
})
