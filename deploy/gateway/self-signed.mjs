// Writes certificate.pem and key.pem into the folder that is named, unless they are there and name every host: self-signed, for this
// machine and the hosts that are named after the folder, for a year. Put those of a certificate authority in their place: they stay
// as they are. Needs openssl. Plain Node without packages, 20 or later.
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const selfSigned = (folder, hosts = []) => {
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(folder, name))
  const wanted = [...new Set(['localhost', '127.0.0.1', ...hosts])]
  if (existsSync(certificate) && existsSync(key) && serves(readFileSync(certificate), wanted)) return
  mkdirSync(folder, { recursive: true })
  const names = wanted.map((host) => `${isIP(host) ? 'IP' : 'DNS'}:${host}`)
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365'],
      ...['-subj', '/CN=localhost', '-addext', `subjectAltName=${names.join()}`],
      ...['-out', certificate, '-keyout', key],
    ],
    { encoding: 'utf8' },
  )
  if (made.status !== 0)
    throw new Error(
      `openssl made no certificate; put one with its key at ${folder}: ${made.error ?? made.stderr}`,
    )
  // The container reads it as a user of its own; the folder keeps out who is on this machine.
  chmodSync(key, 0o644)
}

/** One that an authority signed is its owner's matter. */
const serves = (pem, hosts) => {
  const certificate = new X509Certificate(pem)
  const isOurs = certificate.subject === 'CN=localhost' && certificate.checkIssued(certificate)
  const named = (host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host))
  return !isOurs || hosts.every(named)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  selfSigned(process.argv[2] ?? '.', process.argv.slice(3))
