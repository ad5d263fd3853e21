import { AppError } from '@caravan/service-kit/errors'
import { newId } from '@caravan/service-kit/ids'
import type { Log } from '@caravan/service-kit/log'
import type { AccessStore } from '../access/access-store.ts'
import type { AccountStore, StoredAccount } from './account-store.ts'
import type { Passwords } from './passwords.ts'

/**
 * Creates the first operator unless there is one of that address. Replicas that start together may both try: one inserts.
 * An account that somebody else registered with the address is never promoted. While the shop has no administrator, the
 * operator becomes one.
 */
export const ensureOperator = async (
  accounts: AccountStore,
  access: Pick<AccessStore, 'appointFirst'>,
  passwords: Passwords,
  log: Log,
  credentials: { email: string; password: string },
): Promise<void> => {
  const email = credentials.email.trim().toLowerCase()
  const existing = await accounts.findByEmail(email)
  if (existing) {
    // What is in the account was written when it was made: no one registers an operator.
    if (existing.roles.includes('operator')) return access.appointFirst(existing.id)
    log.error({ account_id: existing.id }, 'operator-email belongs to an account that is no operator')
    return
  }
  const passwordHash = await passwords.hash(credentials.password)
  const createdAt = new Date().toISOString()
  const account: StoredAccount = {
    id: newId(),
    email,
    name: 'Operator',
    locale: 'en',
    passwordHash,
    roles: ['member', 'operator'],
    createdAt,
  }
  try {
    await accounts.insert(account)
    await access.appointFirst(account.id)
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'identity/email-taken')) throw error
  }
}
