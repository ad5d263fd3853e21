import { z } from 'zod'

/** Names that mean this machine or this network: RFC 6761, 6762, 7686, 8375, 9476, and what routers, clouds and clusters use. */
const privateSuffixes = new Set(
  'alt arpa cluster corp home internal intranet invalid lan local localdomain localhost localnet mail onion private svc test'.split(
    ' ',
  ),
)

/** Why a text is no address in the public web; undefined when it is one. */
const fault = (text: string): string | undefined => {
  // A parser would strip, turn round or fold what is not printable ASCII, or a backslash.
  if (!/^https:\/\/[!-[\]-~]+$/.test(text)) return 'must be an https address in ASCII'
  if (!URL.canParse(text)) return 'must be an address'
  const { port, hostname } = new URL(text)
  if (port !== '') return 'must be https on its own port'
  if (/^[^/]+\/\/[^/?#]*@/.test(text)) return 'must name no user'
  // The parser has turned each spelling of an IPv4 address, decimal, octal or hexadecimal, into four numbers.
  const labels = hostname.split('.')
  const last = labels.at(-1) ?? ''
  if (labels.length < 2 || labels.includes('') || !/^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/.test(last))
    return 'must name a public host'
  if (privateSuffixes.has(last)) return 'must name a public host'
  return undefined
}

/**
 * An address that a caller gives and a service may fetch: https, a host's full name in public DNS, no IP address, no user,
 * the default port. It is a check of the text. Whoever fetches it must also check the address that the name resolves to, connect to that
 * very address and follow no redirect unchecked: `127.0.0.1.nip.io` passes here, and a name may resolve anew.
 */
export const publicUrl = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const message = fault(text)
    if (message) context.addIssue({ code: 'custom', message })
  })
  .meta({
    format: 'public-url',
    description: 'An https address of a public host',
    examples: ['https://shop.example/a'],
  })
