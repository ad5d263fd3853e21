// Writes certificate.pem and key.pem into the folder that is named, unless they are there: self-signed, for this machine, for a
// year. Put those of a certificate authority in their place. Needs openssl. Plain Node without packages, 20 or later.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const selfSigned = (folder) => {
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(folder, name))
  if (existsSync(certificate) && existsSync(key)) return
  mkdirSync(folder, { recursive: true })
  const made = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) selfSigned(process.argv[2] ?? '.')
