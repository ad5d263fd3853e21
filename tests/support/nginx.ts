import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { openGuard } from '../../tools/launcher/guard.ts'
import { provideNginx } from '../../tools/launcher/nginx.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import { probe } from '../../tools/launcher/probe.ts'
import { repository } from '../../tools/launcher/stack-file.ts'

export interface NginxOptions {
  /** `host:port` of the gateway, or of what stands in for it. */
  readonly upstream: string
  /** Variables of deploy/gateway/templates, in place of the usual ones. */
  readonly settings?: Record<string, string>
  /** Files of deploy/gateway/lists, in place of those. */
  readonly lists?: Record<string, string>
}

/** What the nginx image does: every variable that is set takes its place, all else stays. */
const envsubst = (template: string, settings: Record<string, string>): string =>
  template.replace(/\$\{(\w+)\}/g, (whole, name: string) => settings[name] ?? whole)

const json = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** A real nginx with the configuration of deploy/gateway, on ports of its own, with a certificate of its own. */
export const startNginx = async ({ upstream, settings = {}, lists = {} }: NginxOptions) => {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-nginx-'))
  const guard = openGuard()
  const pool = portPool()
  const [http, https] = [await pool.take(), await pool.take()]
  execFileSync(process.execPath, [join(repository, 'deploy/gateway/self-signed.mjs'), folder])
  cpSync(join(repository, 'deploy/gateway/lists'), join(folder, 'lists'), { recursive: true })
  for (const [name, text] of Object.entries(lists)) writeFileSync(join(folder, 'lists', name), text)
  const template = readFileSync(join(repository, 'deploy/gateway/templates/default.conf.template'), 'utf8')
  const origin = `https://127.0.0.1:${https}`
  const server = envsubst(template, {
    ...{ EDGE_UPSTREAM: upstream, EDGE_HTTP_PORT: String(http), EDGE_HTTPS_PORT: String(https) },
    ...{ EDGE_SERVER_NAME: '_', EDGE_PUBLIC_ORIGIN: origin, EDGE_LISTS: join(folder, 'lists') },
    ...{ EDGE_CERTIFICATE: join(folder, 'certificate.pem'), EDGE_CERTIFICATE_KEY: join(folder, 'key.pem') },
    ...{ EDGE_REQUESTS_PER_SECOND: '1000', EDGE_REQUEST_BURST: '1000', EDGE_CONNECTIONS: '100' },
    ...settings,
  })
  writeFileSync(join(folder, 'edge.conf'), server)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ')
  // One process: a worker would outlive a master that is killed.
  const main = `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr crit;
    events { worker_connections 1024; }
    http { ${temporary} include ${join(folder, 'edge.conf')}; }`
  writeFileSync(join(folder, 'nginx.conf'), main)

  const command = [
    provideNginx(console.error),
    '-p',
    folder,
    '-c',
    join(folder, 'nginx.conf'),
    '-e',
    'stderr',
  ]
  const [file = '', ...args] = guard.wrap(command)
  // Files, not pipes: nginx opens /dev/stdout by its name.
  const outputs = ['access.log', 'error.log'].map((name) => join(folder, name))
  const descriptors = outputs.map((output) => openSync(output, 'a'))
  const child = spawn(file, args, { stdio: ['ignore', ...descriptors] })
  for (const descriptor of descriptors) closeSync(descriptor)
  const log = () => readFileSync(join(folder, 'access.log'), 'utf8')
  const errors = () => readFileSync(join(folder, 'error.log'), 'utf8')
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    guard.close()
    pool.close()
    rmSync(folder, { recursive: true })
  }
  try {
    const died = ended.then(() => Promise.reject(new Error(`nginx ended: ${errors()}`)))
    const listens = () => probe({ url: `http://127.0.0.1:${http}/`, status: 308 })
    await Promise.race([eventually('nginx listens', listens), died])
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...{ origin, httpOrigin: `http://127.0.0.1:${http}`, httpsPort: https, stop },
    /** The certificate, by which a client knows it. */
    ca: readFileSync(join(folder, 'certificate.pem'), 'utf8'),
    /** The access log's lines so far, and all that nginx wrote. */
    lines: () => json(log()),
    written: () => log() + errors(),
  }
}

export type Nginx = Awaited<ReturnType<typeof startNginx>>
