import { addressList, readAddress, readNetwork } from './address.ts'

interface Ban {
  readonly kind: string
  readonly subject: string
  /** Milliseconds. */
  readonly until: number
}

/** Bans by id. A single address costs one look into a map, whatever their number; networks are tried one by one. */
export const createBans = (now: () => number) => {
  const bans = new Map<string, Ban>()
  const bySubject = new Map<string, string>()
  let addresses = 0
  let networks: { holds: (address: string) => boolean; until: number }[] = []

  const readNetworks = (): void => {
    networks = [...bans.values()].flatMap(({ kind, subject, until }) => {
      if (kind !== 'address' || !subject.includes('/') || !readNetwork(subject)) return []
      return [{ holds: addressList([subject]), until }]
    })
  }

  const remove = (id: string): void => {
    const ban = bans.get(id)
    if (!ban) return
    bans.delete(id)
    bySubject.delete(`${ban.kind} ${ban.subject}`)
    if (ban.kind === 'address') addresses -= 1
    if (ban.subject.includes('/')) readNetworks()
  }

  const holds = (kind: string, subject: string): boolean => {
    const id = bySubject.get(`${kind} ${subject}`)
    return id !== undefined && (bans.get(id)?.until ?? 0) > now()
  }

  return {
    set: (id: string, ban: Ban): void => {
      remove(id)
      bans.set(id, ban)
      bySubject.set(`${ban.kind} ${ban.subject}`, id)
      if (ban.kind === 'address') addresses += 1
      if (ban.subject.includes('/')) readNetworks()
    },
    remove,
    sweep: (): void => {
      for (const [id, { until }] of bans) if (until <= now()) remove(id)
    },
    holds,
    anyAddress: (): boolean => addresses > 0,
    holdsAddress: (text: string): boolean => {
      const address = readAddress(text)
      if (address === undefined) return false
      if (holds('address', address)) return true
      return networks.some(({ holds, until }) => until > now() && holds(address))
    },
  }
}
