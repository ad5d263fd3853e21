import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepareSecrets } from '../../tools/launcher/secrets.ts'
import { readStack } from '../../tools/launcher/stack-file.ts'
import { appIds, find, read, readYaml, root } from './repository.ts'

const text = read('docker-compose.yml')
const compose = readYaml<{ secrets: Record<string, { file: string }> }>('docker-compose.yml')

test('the generator writes every variable and secret that is needed, and keeps what is there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const generate = () => {
    execFileSync(process.execPath, [join(root, 'deploy/compose/generate-secrets.mjs'), folder], {
      stdio: 'pipe',
    })
    return [
      ...['.env', '.caravan/compose/secrets.json', '.caravan/compose/databases.sql'],
      ...['.caravan/compose/tls/certificate.pem', '.caravan/compose/tls/key.pem'],
    ].map((file) => readFileSync(join(folder, file), 'utf8'))
  }
  const [environment = '', secrets = '', databases = '', certificate = '', key = ''] = generate()
  for (const [, name] of text.matchAll(/\$\{(\w+):\?/g))
    assert.match(environment, new RegExp(`^${name}=.{16}`, 'm'))
  const withDatabase = find('apps/*/migrations').map((path) => path.split('/')[1] ?? '')
  const launcher = Object.keys(prepareSecrets(folder, withDatabase, 3306))
  assert.deepEqual(Object.keys(JSON.parse(secrets)).sort(), launcher.sort())
  for (const name of withDatabase)
    assert.match(databases, new RegExp(`GRANT ALL PRIVILEGES ON \`${name}\`\\.\\* TO '${name}'@`))
  assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
  const inFolder = (file: string) => file.replace(/^\$\{CARAVAN_SECRETS:-\.\/(.*)\}/, `${folder}/$1`)
  for (const { file } of Object.values(compose.secrets)) assert.ok(existsSync(inFolder(file)), file)
  const anchors = /^DAPR_TRUST_ANCHORS=("-.*")$/m.exec(environment)?.[1] ?? ''
  const trusted = (file: string) => readFileSync(join(folder, '.caravan/compose/trust', file), 'utf8')
  assert.equal(JSON.parse(anchors), trusted('ca.crt'))
  const tokens = () => appIds.map((app) => trusted(`${app}.token`))
  const before = tokens()
  assert.deepEqual(generate(), [environment, secrets, databases, certificate, key])
  assert.deepEqual(tokens(), before)
})

/** What the generator wrote into a new folder, as long as the test lasts. */
const generatedIn = (folder: string, settings: Record<string, string> = {}) => {
  execFileSync(process.execPath, [join(root, 'deploy/compose/generate-secrets.mjs'), folder], {
    ...{ stdio: 'pipe', env: { ...process.env, ...settings } },
  })
  const written = (file: string) => readFileSync(join(folder, file), 'utf8')
  return {
    variable: (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(written('.env'))?.[1],
    certificate: new X509Certificate(written('.caravan/compose/tls/certificate.pem')),
    stack: readStack('compose', folder),
  }
}

const newFolder = (t: { after: (end: () => void) => void }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('two clones have neither volumes nor networks in common', (t) => {
  const [one, other] = [generatedIn(newFolder(t)), generatedIn(newFolder(t))]
  assert.match(String(one.variable('COMPOSE_PROJECT_NAME')), /^caravan-[0-9a-f]{6}$/)
  assert.notEqual(one.variable('COMPOSE_PROJECT_NAME'), other.variable('COMPOSE_PROJECT_NAME'))
  assert.match(String(one.variable('CARAVAN_DOOR')), /^172\.16\.\d+$/)
})

test('the certificate names where the shop is published and what it is called; another’s stays as it is', (t) => {
  const folder = newFolder(t)
  const first = generatedIn(folder)
  assert.ok(first.certificate.checkIP('127.0.0.1') && first.certificate.checkHost('localhost'))
  const settings = { CARAVAN_BIND: '192.0.2.7', CARAVAN_ORIGIN: 'https://shop.example:8443' }
  const { certificate, stack } = generatedIn(folder, settings)
  assert.ok(certificate.checkIP('192.0.2.7') && certificate.checkHost('shop.example'))
  assert.equal(stack?.url, settings.CARAVAN_ORIGIN)
  assert.equal(stack.pspUrl, 'http://192.0.2.7:6100')
  assert.equal(generatedIn(folder, settings).certificate.fingerprint256, certificate.fingerprint256)

  const tls = join(folder, '.caravan/compose/tls')
  const own = ['-keyout', join(tls, 'key.pem'), '-out', join(tls, 'certificate.pem'), '-subj', '/CN=theirs']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...own], { stdio: 'pipe' })
  assert.equal(generatedIn(folder, settings).certificate.subject, 'CN=theirs')
})

test('npm run demo and the like find the shop by what the generator wrote', (t) => {
  const folder = newFolder(t)
  const { stack, variable } = generatedIn(folder)
  assert.equal(stack?.project, variable('COMPOSE_PROJECT_NAME'))
  assert.deepEqual(stack?.urls, ['https://127.0.0.1:8443'])
  assert.equal(stack.tokens.orders?.app, variable('ORDERS_APP_TOKEN'))
  const minimal = {
    url: 'https://shop.example',
    pspUrl: 'https://psp.example',
    secretsFile: stack.secretsFile,
  }
  writeFileSync(join(folder, '.caravan/compose/stack.json'), JSON.stringify(minimal))
  assert.deepEqual(readStack('compose', folder)?.urls, ['https://shop.example'])
})
