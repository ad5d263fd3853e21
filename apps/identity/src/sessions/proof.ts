import type { IncomingHttpHeaders } from 'node:http'
import { clientOf } from '@caravan/service-kit/client'
import type { StoredAccount } from '../accounts/account-store.ts'
import type { Passwords } from '../accounts/passwords.ts'
import type { SignInLimitStore } from './sign-in-limit-store.ts'

interface Parts {
  readonly limits: Pick<SignInLimitStore, 'attempt'>
  readonly passwords: Pick<Passwords, 'matches'>
}

export interface Claim {
  readonly email: string
  readonly password: string
  readonly headers: IncomingHttpHeaders
  /** The account of that address, if there is one. Asked once guessing is known to be slow enough. */
  readonly find: () => Promise<StoredAccount | undefined>
}

/**
 * Whose password it is: undefined when it is nobody's. Wherever one is checked, also of who is signed in, whose token may be stolen,
 * guesses are counted together: throws 429 `identity/too-many-failures`.
 */
export const createProof =
  ({ limits, passwords }: Parts) =>
  async ({ email, password, headers, find }: Claim): Promise<StoredAccount | undefined> => {
    const attempt = await limits.attempt(clientOf(headers).address, email)
    const check = async () => {
      const account = await find()
      return (await passwords.matches(account?.passwordHash, password)) ? account : undefined
    }
    const account = await check().catch(async (error) => {
      await attempt.dropped()
      throw error
    })
    await (account ? attempt.succeeded() : attempt.failed())
    return account
  }

export type Proof = ReturnType<typeof createProof>
