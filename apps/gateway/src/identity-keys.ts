import { type KeySource, remoteKeys } from '@caravan/service-kit/authenticate'
import type { Sidecar } from '@caravan/service-kit/sidecar'
import type { AnonymousToken } from './anonymous-token.ts'

/** Milliseconds that a request may wait for a key: what comes after must fit into a client's patience. */
const deadlineMs = 500

/** The keys of access tokens, from identity. The own sidecar wants a token for that call too: the anonymous one. */
export const identityKeys = (sidecar: Sidecar, token: Pick<AnonymousToken, 'current'>): KeySource => {
  const call: Sidecar['call'] = (operation, input) =>
    sidecar.call(operation, input, { authorization: `Bearer ${token.current()}`, deadlineMs })
  return remoteKeys({ ...sidecar, call })
}
