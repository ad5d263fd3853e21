import { BlockList, isIP, SocketAddress } from 'node:net'

/** As Node shows an IPv4 peer of a dual-stack socket: `::ffff:192.0.2.1`. */
const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

/** In one spelling: an address inside of IPv6 as IPv4, no zone. */
const canonical = (address: string): string | undefined => {
  const short = unmapped(address)
  const family = isIP(short)
  if (family !== 6) return family === 4 ? short : undefined
  return unmapped(new SocketAddress({ address: short, family: 'ipv6' }).address)
}

/** With brackets, a port, quotes: as proxies write it. */
const decorated = /^"?(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?"?$/

/** The address that a hop names, in its one spelling, however the hop writes it. Undefined for what is no address. */
export const readAddress = (text: string): string | undefined => {
  const given = text.trim()
  const [, bracketed, plain] = isIP(given) === 0 ? (decorated.exec(given) ?? []) : []
  return canonical(bracketed ?? plain ?? given)
}

const isIpv6 = (address: string): boolean => address.includes(':')

/** Of IPv4 four numbers of 8 bits, of IPv6 eight of 16. */
const unitsOf = (address: string): number[] => {
  if (!isIpv6(address)) return address.split('.').map(Number)
  const whole = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = [], tail = []] = whole.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
}

/** The first `bits` of an address as `readAddress` gives it, zeros behind: one text for the whole network. */
const networkOf = (address: string, bits: number): string => {
  const [size, separator, base] = isIpv6(address) ? ([16, ':', 16] as const) : ([8, '.', 10] as const)
  return unitsOf(address)
    .map((unit, at) => {
      const beyond = Math.min(Math.max((at + 1) * size - bits, 0), size)
      return ((unit >> beyond) << beyond).toString(base)
    })
    .join(separator)
}

/** What counts as one caller: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber gets (RFC 6177). */
export const callerAt = (address: string): string => (isIpv6(address) ? networkOf(address, 64) : address)

/** The network around a caller: the /24 of an IPv4 address, the /48 of an IPv6 address, which is what one site gets. */
export const siteOf = (address: string): string => networkOf(address, isIpv6(address) ? 48 : 24)

/** An address or a CIDR network in its one spelling, nothing behind its prefix. Undefined for anything else. */
export const readNetwork = (text: string): string | undefined => {
  const [written = '', prefix, ...rest] = text.split('/')
  const address = canonical(written)
  if (address === undefined || rest.length > 0) return undefined
  if (prefix === undefined) return address
  const bits = Number(prefix) - (isIpv6(written) && !isIpv6(address) ? 96 : 0)
  if (!/^\d{1,3}$/.test(prefix) || bits < 0 || bits > (isIpv6(address) ? 128 : 32)) return undefined
  return `${canonical(networkOf(address, bits))}/${bits}`
}

const familyOf = (address: string) => (isIpv6(address) ? 'ipv6' : 'ipv4')

/**
 * Whether an address, as `readAddress` gives it, is in one of these addresses and networks. Each family has a list of its own: one for
 * both would find every IPv4 address in `::/32`, as `::ffff:0:0/96`.
 */
export const addressList = (networks: readonly string[]): ((address: string) => boolean) => {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const each of networks) {
    const network = readNetwork(each)
    if (network === undefined) throw new Error(`${each} is no network`)
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    if (bits === undefined) lists[family].addAddress(address, family)
    else lists[family].addSubnet(address, Number(bits), family)
  }
  return (address) => lists[familyOf(address)].check(address, familyOf(address))
}
