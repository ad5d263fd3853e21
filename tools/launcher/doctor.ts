import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { canInstall } from './apt.ts'
import { dockerAnswers, localServers } from './backing.ts'
import { isRunning } from './control.ts'
import { daprVersion, findDapr } from './dapr-binaries.ts'
import { findNginx } from './nginx.ts'
import { isFree, portHolder } from './ports.ts'
import { repository, stackFolder } from './stack-file.ts'
import { declaredPorts, readTopology } from './topology.ts'

/** `optional`: a start does without it. */
type Finding = { what: string; found?: string | undefined; remedy: string; optional?: boolean }

const neededBytes = 3e9

const firstLine = (file: string, ...args: string[]) =>
  spawnSync(file, args, { encoding: 'utf8' }).stdout?.trim().split('\n')[0] || undefined

const examine = async (): Promise<Finding[]> => {
  const version = daprVersion(repository)
  const dapr = findDapr(repository)
  const servers = localServers()
  const disk = statfsSync(repository)
  const free = disk.bavail * disk.bsize
  const findings: Finding[] = [
    { what: 'Node.js', found: process.version, remedy: 'npm ci' },
    { what: 'npm', found: firstLine('npm', '--version'), remedy: 'https://nodejs.org brings it' },
    {
      what: `Dapr ${version}`,
      found:
        dapr?.daprd ??
        (firstLine('go', 'version') && 'to be downloaded at the first start, or built with Go (5 minutes)'),
      remedy: `dapr init --slim, or Go from https://go.dev/dl to build it`,
    },
    {
      what: 'MySQL and Redis',
      found: dockerAnswers()
        ? 'in Docker'
        : servers.mysql && servers.redis
          ? `${servers.mysql}, ${servers.redis}`
          : canInstall() && 'to be installed with apt-get at the first start',
      remedy: 'start Docker, or install mariadb-server and redis-server',
    } as Finding,
    {
      what: 'nginx and openssl, for the tests',
      found: findNginx() ?? (canInstall() && 'to be installed with apt-get at the first test'),
      remedy: 'install nginx and openssl',
      optional: true,
    } as Finding,
    {
      what: 'disk',
      found: free > neededBytes ? `${Math.round(free / 1e9)} GB free` : undefined,
      remedy: `${neededBytes / 1e9} GB are needed, ${(free / 1e9).toFixed(1)} are free`,
    },
  ]
  if (await isRunning(stackFolder('shop')))
    return [...findings, { what: 'ports', found: 'in use by the running shop', remedy: '' }]
  const taken: Finding[] = []
  for (const [name, port] of declaredPorts(readTopology(repository)))
    if (!(await isFree(port)))
      taken.push({
        what: `port ${port} of ${name}`,
        remedy: `end ${portHolder(port) ?? 'what listens there'}`,
      })
  return [...findings, ...(taken.length ? taken : [{ what: 'ports', found: 'all free', remedy: '' }])]
}

/** Prints a line for each thing a start needs; resolves with 1 when one is missing, else 0. */
export const doctor = async (): Promise<number> => {
  const findings = await examine()
  for (const { what, found, remedy } of findings)
    console.log(found ? `ok       ${what}: ${found}` : `missing  ${what}: ${remedy}`)
  return findings.every(({ found, optional }) => found || optional) ? 0 : 1
}
