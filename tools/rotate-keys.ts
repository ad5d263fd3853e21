import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readKeyRing, rotate } from '../apps/identity/src/tokens/key-ring.ts'
import { attachStack } from './launcher/attached-stack.ts'
import { writePrivately } from './launcher/write-privately.ts'

// npm run rotate-keys [-- --lead-seconds N --life-seconds N]: a new signing key for identity. It is published at once and signs
// after the lead, which is longer than any verifier keeps the published keys (the bearer middleware: ten minutes). Keys whose
// last token is over are dropped, so nobody is signed out. Run it again, or twice with no lead, when a key has leaked.

const { values } = parseArgs({
  options: {
    'lead-seconds': { type: 'string', default: '1200' },
    /** Of the token that lives longest. */
    'life-seconds': { type: 'string', default: '900' },
  },
})
const milliseconds = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`not a number of seconds: ${text}`)
  return Number(text) * 1000
}

const stack = attachStack(process.env.STACK_PROFILE ?? 'shop')
const file = join(stack.dir, 'secrets.json')
const secrets = JSON.parse(readFileSync(file, 'utf8'))
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const now = Date.now()
const signsFrom = now + milliseconds(values['lead-seconds'])
secrets['identity-signing-key'] = rotate(
  secrets['identity-signing-key'],
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ...([signsFrom, now, milliseconds(values['life-seconds'])] as const),
)
writePrivately(file, secrets)

// A sidecar reads a local file of secrets when it starts; another secret store is read each time.
for (const name of stack.names.filter((each) => /^identity(-\d+)?\.sidecar$/.test(each))) {
  const sidecar = stack.process(name)
  await sidecar.stop()
  sidecar.start()
  await sidecar.ready()
}
for (const { kid, signsFrom: from } of readKeyRing(secrets['identity-signing-key']))
  console.log(`${kid}  ${from === 0 ? 'signs' : `signs from ${new Date(from).toISOString()}`}`)
