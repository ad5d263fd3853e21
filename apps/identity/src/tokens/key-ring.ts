import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

export interface SigningKey {
  /** RFC 7638: the same key has the same id in every replica and after every restart. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** What is published: RFC 7517, nothing private. */
  readonly jwk: { kty: string; n: string; e: string; kid: string; use: 'sig'; alg: 'RS256' }
  /** Milliseconds since 1970. Until then it is only published, so that every verifier knows it when it begins to sign. */
  readonly signsFrom: number
}

export const thumbprint = ({ e, kty, n }: { e?: string; kty?: string; n?: string }): string =>
  createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')

const block = /(?:^Signs-From: (\S+)\s+)?(-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----)/gm

const readKey = (pem: string, signsFrom = 0): SigningKey => {
  const privateKey = createPrivateKey(pem)
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (privateKey.asymmetricKeyType !== 'rsa' || bits < 2048 || Number.isNaN(signsFrom))
    throw new Error('a signing key is an RSA key of at least 2048 bits with a good Signs-From')
  const publicKey = createPublicKey(privateKey)
  const { kty = '', n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint({ kty, n, e })
  return { kid, privateKey, publicKey, jwk: { kty, n, e, kid, use: 'sig', alg: 'RS256' }, signsFrom }
}

/**
 * Reads the keys of a PEM bundle (PKCS #8, RFC 7468), oldest first. The text before a key may say `Signs-From: <ISO 8601>`;
 * a key without has always signed. Throws when there is none, or one that is not RSA of 2048 bits.
 */
export const readKeyRing = (bundle: string): readonly SigningKey[] => {
  const keys = [...bundle.matchAll(block)].map(([, from, pem = '']) =>
    readKey(pem, from ? Date.parse(from) : 0),
  )
  if (keys.length === 0) throw new Error('there is no private key in the bundle')
  return keys.toSorted((a, b) => a.signsFrom - b.signsFrom)
}

/** The youngest key that signs by now; the oldest when none does. */
export const signingKeyAt = (ring: readonly SigningKey[], now: number): SigningKey =>
  ring.findLast(({ signsFrom }) => signsFrom <= now) ?? (ring[0] as SigningKey)

/**
 * The bundle after a rotation: a new key that signs from `signsFrom`, and of the others those whose tokens may still be
 * good at `now`: all that sign, signed less than `lifeMs` ago, or will sign.
 */
export const rotate = (
  bundle: string,
  newKey: string,
  signsFrom: number,
  now: number,
  lifeMs: number,
): string => {
  const ring = readKeyRing(bundle)
  const current = signingKeyAt(ring, now - lifeMs)
  const kept = ring.filter((key) => key.signsFrom >= current.signsFrom)
  const written = (pem: string, from: number) =>
    `${from > 0 ? `Signs-From: ${new Date(from).toISOString()}\n` : ''}${pem.trim()}\n`
  return [
    ...kept.map(({ privateKey, signsFrom: from }) =>
      written(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), from),
    ),
    written(newKey, signsFrom),
  ].join('')
}
