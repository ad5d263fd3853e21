import type { FirstRole, Operation } from '@caravan/contracts/operation'
import type { Entry } from './access-entry-store.ts'

/** By role, the roles that it inherits from. */
const parents: Record<FirstRole, FirstRole[]> = {
  shopper: [],
  seller: [],
  support: [],
  'catalogue-manager': [],
  finance: [],
  operator: ['seller', 'support', 'catalogue-manager', 'finance'],
  administrator: ['operator'],
}

const rolesFor = ({ access }: Operation): readonly FirstRole[] => {
  // When an administrator closes what is open to anyone, it is left to those who sign in.
  if (access === 'anyone' || access === 'member') return ['shopper']
  return 'roles' in access ? access.roles : []
}

/** The policy that a shop begins with, as the contracts say. Their ids are fixed: what was changed or removed stays so. */
export const defaultAccess = (operations: readonly Operation[]): Entry[] => [
  ...Object.entries(parents).map(([id, above]): Entry => ({ kind: 'role', id, value: { parents: above } })),
  ...operations.flatMap((operation) =>
    rolesFor(operation).map((role): Entry => {
      const { method, path } = operation
      return { kind: 'rule', id: `${role}.${operation.id}`, value: { role, effect: 'allow', method, path } }
    }),
  ),
  {
    ...{ kind: 'rule', id: 'administrator.all' },
    value: { role: 'administrator', effect: 'allow', method: '*', path: '/*' },
  },
  ...operations.flatMap(({ id, access }): Entry[] =>
    access === 'anyone' ? [{ kind: 'public-route', id, value: {} }] : [],
  ),
]
