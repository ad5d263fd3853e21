import type { Sidecar } from '@caravan/service-kit/sidecar'

type State = Pick<Sidecar['state'], 'get' | 'save'>

/** A state store in memory that refuses stale ETags; `beforeSave` lets a test be the other replica, or the crash. */
export const fakeState = () => {
  const documents = new Map<string, { value: unknown; version: number }>()
  const fake = {
    saves: 0,
    /** Keys that were saved with a time to live. */
    expiring: new Set<string>(),
    beforeSave: async (_key: string): Promise<void> => {},
  }
  const tick = () => new Promise((resolve) => setImmediate(resolve))

  const state: State = {
    get: async <T>(_store: string, key: string) => {
      await tick()
      const found = documents.get(key)
      return found && { value: structuredClone(found.value) as T, etag: String(found.version) }
    },
    save: async (_store, key, value, { etag, ttlSeconds } = {}) => {
      await fake.beforeSave(key)
      await tick()
      const version = documents.get(key)?.version
      if (etag !== (version === undefined ? undefined : String(version))) return false
      documents.set(key, { value: structuredClone(value), version: (version ?? 0) + 1 })
      fake.saves += 1
      if (ttlSeconds) fake.expiring.add(key)
      return true
    },
  }
  return { fake, state }
}
