import type { AccessEntry } from '@caravan/contracts/access'
import type { Operation } from '@caravan/contracts/operation'
import { createAccessState } from '../access-state.ts'

/** What lets those use an operation whom its contract names. */
export const entriesOf = ({ id, method, path, access }: Operation): AccessEntry[] => {
  if (access !== 'member' && access !== 'anyone' && 'apps' in access) return []
  const allowed = typeof access === 'object' ? access.roles : ['shopper']
  const rules = allowed.map((role) => ({
    ...{ kind: 'rule', id: `${role}.${id}` },
    value: { role, effect: 'allow', method, path },
  }))
  return access === 'anyone' ? [...rules, { kind: 'public-route', id, value: {} }] : rules
}

/** An access state by the contracts alone, without any inheritance; `tell` makes a new version of it. */
export const accessOf = async (operations: readonly Operation[]) => {
  const state = createAccessState()
  let version = 0
  const tell = (...entries: readonly AccessEntry[]): Promise<void> => {
    version += 1
    const answer = { version, entries: [...entries], hasMore: false }
    return state.catchUp(async () => answer)
  }
  await tell(...operations.flatMap(entriesOf))
  return { state, tell }
}
