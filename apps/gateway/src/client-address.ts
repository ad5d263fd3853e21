import { addressList, readAddress } from '@caravan/service-kit/address'

/** Which peers are proxies of ours. Takes addresses and CIDR ranges. */
export const trustedProxies = (list: readonly string[]): ((address: string) => boolean) => {
  const trusted = addressList(list)
  const check = (text: string) => {
    const address = readAddress(text)
    return address !== undefined && trusted(address)
  }
  // The same few proxies ask again and again.
  const known = new Map<string, boolean>()
  return (address) => {
    const seen = known.get(address)
    if (seen !== undefined) return seen
    const answer = check(address)
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
  const hops = (forwardedFor ?? '').split(',')
  let client = readAddress(peer) ?? peer
  while (isTrusted(client)) {
    const hop = readAddress(hops.pop() ?? '')
    if (hop === undefined) break
    client = hop
  }
  return client
}
