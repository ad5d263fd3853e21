import { BlockList, isIP, SocketAddress } from 'node:net'

/** An address in its one spelling; one of IPv4 inside of IPv6 as IPv4. Anything else as it is. */
export const canonicalAddress = (text: string): string => {
  const plain = text.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) === 6 ? new SocketAddress({ address: plain, family: 'ipv6' }).address : plain
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

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
  let networks: { list: BlockList; until: number }[] = []

  const readNetworks = (): void => {
    networks = [...bans.values()].flatMap(({ kind, subject, until }) => {
      const [address = '', bits] = subject.split('/')
      if (kind !== 'address' || bits === undefined) return []
      const list = new BlockList()
      list.addSubnet(address, Number(bits), familyOf(address))
      return [{ list, until }]
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
      const address = canonicalAddress(text)
      if (holds('address', address)) return true
      return networks.some(({ list, until }) => until > now() && list.check(address, familyOf(address)))
    },
  }
}
