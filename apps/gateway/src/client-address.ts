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
  return (address) => isIP(plain(address)) !== 0 && trusted.check(plain(address), familyOf(plain(address)))
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
