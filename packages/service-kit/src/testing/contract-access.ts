import type { Access } from '../access-state.ts'
import { AppError } from '../errors.ts'

const refuse = () => new AppError('forbidden', 'auth/forbidden', 'Not for this caller')

/** Decides by the contract alone, and by the roles that the caller came with: for tests of what lies behind. */
export const contractAccess: Access = {
  authorise: ({ access }, caller) => {
    if (access === 'anyone') return caller
    if (typeof access === 'object' && 'apps' in access) {
      if (caller.kind === 'app' && access.apps.includes(caller.id)) return caller
      throw refuse()
    }
    if (caller.kind !== 'member')
      throw new AppError('unauthenticated', 'auth/sign-in-needed', 'Sign in first')
    if (access !== 'member' && !access.roles.some((role) => caller.roles.includes(role))) throw refuse()
    return caller
  },
}
