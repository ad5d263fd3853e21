import { email as emailSchema } from '@caravan/contracts/common'
import { line } from '@caravan/contracts/line'
import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import { derive, randomToken } from '../derive.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { CredentialStore } from './credential-store.ts'
import type { OutsideIdentityStore } from './outside-identity-store.ts'
import type { Checks, OutsidePerson, OutsideProvider } from './outside-provider.ts'
import type { Passwords } from './passwords.ts'

interface Parts {
  readonly secret: string
  readonly accounts: Pick<AccountStore, 'findByEmail'>
  readonly credentials: Pick<CredentialStore, 'adopt'>
  readonly identities: OutsideIdentityStore
  readonly passwords: Pick<Passwords, 'hash'>
  /** None: the shop has no outside provider. */
  readonly provider?: OutsideProvider
}

const none = () => new AppError('not-found', 'identity/no-outside-provider', 'There is none to sign in with')

/** What the provider tells, where that is a name of ours; else what stands before the address's `@`. */
const nameFrom = (told: string, address: string): string =>
  line(100).safeParse([...told].slice(0, 100).join('')).data ?? address.slice(0, address.indexOf('@'))

/**
 * Sign-in by an outside provider. An address that has an account is not taken over, whatever the provider says of it: who owns
 * both signs in and links them.
 */
export const createOutsideSignIn = (parts: Parts) => {
  const { secret, accounts, credentials, identities, passwords, provider } = parts

  const checksOf = (state: string): Checks => ({
    state,
    nonce: derive(secret, 'nonce', state),
    codeVerifier: derive(secret, 'pkce', state),
  })

  const accountFor = async ({ issuer, subject, email, emailVerified, name }: OutsidePerson) => {
    const address = emailSchema.safeParse(email)
    if (!emailVerified || !address.success)
      throw new AppError(
        'invalid',
        'identity/address-not-confirmed',
        'The provider has not confirmed the address',
      )
    if (await accounts.findByEmail(address.data))
      throw new AppError('conflict', 'identity/email-taken', 'Sign in with the password, then link the two')
    const now = new Date().toISOString()
    const account: StoredAccount = {
      ...{
        id: newId(),
        email: address.data,
        name: nameFrom(name, address.data),
        locale: 'en',
        roles: ['member'],
      },
      // Nobody knows it: a link by mail sets another.
      passwordHash: await passwords.hash(randomToken()),
      ...{ createdAt: now, confirmedAt: now },
    }
    return credentials.adopt(account, { issuer, subject })
  }

  return {
    start: async () => {
      if (!provider) throw none()
      const [state, binding] = [randomToken(), randomToken()]
      const authorizationUrl = await provider.authorizationUrl(checksOf(state))
      await identities.begin(state, binding)
      return { authorizationUrl, binding }
    },

    /** Resolves with the account's id: that of `member`, who links the identity, or the one that it is linked to. */
    complete: async (answer: string, binding: string, member?: string): Promise<string> => {
      if (!provider) throw none()
      const state = new URLSearchParams(answer).get('state') ?? ''
      if (!(await identities.end(state, binding)))
        throw new AppError('unauthenticated', 'identity/outside-sign-in-refused', 'Begin again')
      const person = await provider.personOf(answer, checksOf(state))
      const known = member ? await identities.link(person, member) : await identities.accountOf(person)
      if (member && known !== member)
        throw new AppError('conflict', 'identity/already-linked', 'It is linked to another account')
      return known ?? accountFor(person)
    },
  }
}

export type OutsideSignIn = ReturnType<typeof createOutsideSignIn>
