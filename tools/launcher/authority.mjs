// The root of trust of one shop's sidecars. Plain JavaScript for whatever Node is installed: deploy/compose/generate-secrets.mjs
// needs it before there are packages. Sentry would make such a certificate by itself, but sidecars get theirs by
// environment, before it runs.
import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Of Dapr's control plane; outside of Kubernetes apps are in the one named `public`. */
export const trustDomain = 'caravan'

const years = 10
const keyId = 'authority'

/** X.690: a tag, the length of the contents, the contents. */
const der = (tag, ...contents) => {
  const body = Buffer.concat(contents)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...contents) => der(0x30, ...contents)
const identifier = (hex) => der(0x06, Buffer.from(hex, 'hex'))
const utcTime = (date) => der(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`))
const critical = (id, value) => sequence(identifier(id), der(0x01, Buffer.from([0xff])), der(0x04, value))
const named = (name) =>
  sequence(der(0x31, sequence(identifier('550403'), der(0x0c, Buffer.from(`Caravan ${name}`)))))

const ed25519 = sequence(identifier('2b6570'))
const isAuthority = critical('551d13', sequence(der(0x01, Buffer.from([0xff]))))
const signsCertificates = critical('551d0f', der(0x03, Buffer.from([0x01, 0x06])))

/** A certificate by RFC 5280, in PEM, whose owner may sign others. */
const certificate = (subject, publicKey, issuer, issuerKey) => {
  const [from, to] = [new Date(), new Date()]
  // A machine whose clock is late may be the first to read it.
  from.setUTCDate(from.getUTCDate() - 1)
  to.setUTCFullYear(to.getUTCFullYear() + years)
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(15)),
    ed25519,
    named(issuer),
    sequence(utcTime(from), utcTime(to)),
    named(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(isAuthority, signsCertificates)),
  )
  const signature = der(0x03, Buffer.from([0]), sign(null, content, issuerKey))
  const lines = sequence(content, ed25519, signature)
    .toString('base64')
    .match(/.{1,64}/g)
  return ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n')
}

/**
 * `root` is what all sidecars trust; `issuer` is signed by it and signs for sentry, with `key`. All in PEM. The root’s own
 * key is not kept. Sentry takes no issuer that is its own root.
 */
export const newAuthority = () => {
  const [root, issuer] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  return {
    root: certificate('root', root.publicKey, 'root', root.privateKey),
    issuer: certificate('issuer', issuer.publicKey, 'root', root.privateKey),
    key: issuer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** SPIFFE ids, as Dapr names what runs outside of Kubernetes. */
const identityOf = (name) =>
  ['sentry', 'placement', 'scheduler'].includes(name)
    ? `spiffe://${trustDomain}/ns/default/dapr-${name}`
    : `spiffe://public/ns/default/${name}`

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What proves to sentry who asks for a certificate: a JWT (RFC 8037) for one app, `placement` or `scheduler`. It does not expire. */
const identityToken = (key, name) => {
  const claims = { sub: identityOf(name), aud: identityOf('sentry') }
  const signed = `${encoded({ alg: 'EdDSA', typ: 'JWT', kid: keyId })}.${encoded(claims)}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

/**
 * All files of an authority, by name: sentry’s `ca.crt`, `issuer.crt`, `issuer.key` and `jwks.json`, and `<name>.token` for
 * each of `names`. The same authority gives the same files.
 * @type {(authority: Record<'root' | 'issuer' | 'key', string>, names: string[]) => Record<string, string>}
 */
export const trustFiles = ({ root, issuer, key }, names) => {
  const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: keyId, use: 'sig' }
  return {
    'ca.crt': root,
    'issuer.crt': issuer,
    'issuer.key': key,
    'jwks.json': `${JSON.stringify({ keys: [jwk] })}\n`,
    ...Object.fromEntries(names.map((name) => [`${name}.token`, identityToken(key, name)])),
  }
}
