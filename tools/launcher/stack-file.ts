import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Probe } from './probe.ts'
import type { Tokens } from './secrets.ts'
import type { Ports } from './supervised-process.ts'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')

export type ProcessRecord = {
  pid: number | null
  /** Where its ports are: this machine unless it is said. */
  host?: string
  ports: Ports
  logFile: string
  probe: Probe
}

/** What `.caravan/<profile>/stack.json` holds while a stack runs. Readable by its owner only: it has API tokens. */
export type StackRecord = {
  profile: string
  /** Of the launcher. None where something else runs the shop. */
  pid?: number
  /** The project of Docker Compose that runs the shop. */
  project?: string
  /** ISO 8601, UTC. */
  startedAt: string
  url: string
  urls: string[]
  pspUrl: string
  /** The page of the sandbox that all mail ends in. */
  mailUrl: string
  secretsFile: string
  /** A PEM file by which the door's certificate is known, where no authority signed it. */
  certificateFile?: string
  mysqlAdminUrl: string
  tokens: Record<string, Tokens>
  sidecarEnvironment: Record<string, string>
  names: string[]
  processes: Record<string, ProcessRecord>
}

export const stackFolder = (profile: string, root = repository): string => join(root, '.caravan', profile)

/**
 * The record of the running stack, or undefined when there is none: a record whose launcher is dead counts as none. Of a shop that
 * no launcher runs `url`, `pspUrl` and `secretsFile` are enough.
 */
export const readStack = (profile: string, root = repository): StackRecord | undefined => {
  const file = join(stackFolder(profile, root), 'stack.json')
  if (!existsSync(file)) return undefined
  const record = { ...elsewhere, ...JSON.parse(readFileSync(file, 'utf8')), profile } as StackRecord
  if (record.pid !== undefined && !isAlive(record.pid)) return undefined
  return { ...record, urls: record.urls ?? [record.url] }
}

const elsewhere = {
  mailUrl: '',
  mysqlAdminUrl: '',
  tokens: {},
  sidecarEnvironment: {},
  names: [],
  processes: {},
}

/** Makes this process trust the door of that stack. */
export const trustDoor = ({ certificateFile }: Pick<StackRecord, 'certificateFile'>): void => {
  if (certificateFile)
    setDefaultCACertificates([...getCACertificates(), readFileSync(certificateFile, 'utf8')])
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
