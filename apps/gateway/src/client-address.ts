import { BlockList, isIP } from 'node:net'

/** Node shows an IPv4 peer of a dual-stack socket as `::ffff:192.0.2.1`. */
const plain = (address: string): string => address.trim().replace(/^::ffff:(?=\d+\.)/i, '')

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Which peers are proxies of ours. Takes addresses and CIDR ranges. */
export const trustedProxies = (list: readonly string[]): ((address: string) => boolean) => {
  const trusted = new BlockList()
  for (const each of list) {
    const [address = '', bits] = each.split('/')
    if (bits === undefined) trusted.addAddress(address, familyOf(address))
    else trusted.addSubnet(address, Number(bits), familyOf(address))
  }
  const check = (address: string) => isIP(address) !== 0 && trusted.check(address, familyOf(address))
  // The same few proxies ask again and again.
  const known = new Map<string, boolean>()
  return (address) => {
    const seen = known.get(address)
    if (seen !== undefined) return seen
    const answer = check(plain(address))
    if (known.size >= 1000) known.clear()
    known.set(address, answer)
    return answer
  }
}

/**
 * The client's address: the socket's peer or, where that is a trusted proxy, the last hop of X-Forwarded-For that is not.
 * Hops further left were written by strangers. A hop that is no address ends the walk: the one that reported it counts.
 */
export const clientAddress = (
  isTrusted: (address: string) => boolean,
  peer: string,
  forwardedFor: string | undefined,
): string => {
  const hops = (forwardedFor ?? '').split(',').map(plain)
  let client = plain(peer)
  while (isTrusted(client)) {
    const hop = hops.pop()
    if (hop === undefined || isIP(hop) === 0) break
    client = hop
  }
  return client
}

/** The unit that is counted: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber gets (RFC 6177). */
export const networkOf = (address: string): string => {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined && groups.length < 4) {
    const last = tail === '' ? [] : tail.split(':')
    groups.push(...Array<string>(Math.max(8 - groups.length - last.length, 0)).fill('0'), ...last)
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
