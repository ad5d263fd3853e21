import { type Background, every } from '@caravan/service-kit/background'
import type { Log } from '@caravan/service-kit/log'
import { readKeyRing, type SigningKey } from './key-ring.ts'

/** The key ring of the secret store, read again every ten seconds: keys rotate without a restart. A bad one is not taken. */
export const createKeys = async (read: () => Promise<string>, log: Log) => {
  let ring = readKeyRing(await read())
  return {
    current: (): readonly SigningKey[] => ring,
    refresh: every(10_000, 'signing-keys', log, async () => {
      ring = readKeyRing(await read())
    }) satisfies Background,
  }
}
