import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DrillReport } from '../report.ts'
import type { DrillRun } from './mutants.ts'

export const detectors = ['test', 'drill', 'auditor', 'simulation'] as const
export type Detector = (typeof detectors)[number]

/** `error`: nothing is known, because what should have looked did not come so far. */
export type Verdict =
  | { readonly is: 'caught'; readonly by: string }
  | { readonly is: 'missed' }
  | { readonly is: 'blind'; readonly why: string }
  | { readonly is: 'error'; readonly why: string }

const missed: Verdict = { is: 'missed' }
const caught = (by: string): Verdict => ({ is: 'caught', by })

const seed = 1
const simulationRuns = 3000
/** A bound in time says more of how busy the machine is than of a mutant. */
const ofTheMachine = /^recovery p99 is /
/** Longer than any of the commands takes. */
const deadlineMs = 420_000

/**
 * What the commands of a copied repository find in it. A command ends as soon as it has found something and nothing more is
 * to come from it; what it said is kept in `<output>-<command>.log`.
 */
export const openDetectors = (root: string, output: string, signal: AbortSignal) => {
  /** Runs a command, and ends it when `isEnough` says so of a line of its output. */
  const command = async (args: readonly string[], isEnough: (line: string) => boolean = () => false) => {
    signal.throwIfAborted()
    const child = spawn(process.execPath, [join(root, 'tools/caravan.mjs'), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = () => void child.kill('SIGTERM')
    signal.addEventListener('abort', end)
    let late = ''
    const timer = setTimeout(() => {
      late = `it took longer than ${deadlineMs / 1000} s`
      end()
    }, deadlineMs)
    const [lines, errors]: [string[], string[]] = [[], []]
    const kept = createWriteStream(`${output}-${args[0]}.log`, { flags: 'a' })
    child.stdout.pipe(kept, { end: false })
    child.stderr.pipe(kept, { end: false })
    createInterface({ input: child.stderr }).on('line', (line) => line.trim() && errors.push(line))
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (isEnough(line)) end()
    })
    try {
      const [code] = await once(child, 'close')
      signal.throwIfAborted()
      return { code, lines, last: late || (errors.at(-1) ?? `it ended with ${code}`) }
    } finally {
      kept.end()
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  const test = async (files: readonly string[]): Promise<Verdict> => {
    const failed = /^\s*✖ (.+) \([\d.]+ms\)$/
    const { code, lines, last } = await command(['test', ...files], (line) => failed.test(line))
    const [name] = lines.flatMap((line) => failed.exec(line)?.[1] ?? [])
    // By the name of its file when no test of it ran.
    if (name?.endsWith('.ts')) return { is: 'error', why: `${name} does not run` }
    if (name) return caught(name)
    return code === 0 ? missed : { is: 'error', why: last }
  }

  /** A drill, and the audit that ends it. */
  const drill = async ({
    name,
    rounds,
    seconds,
  }: DrillRun): Promise<Record<'drill' | 'auditor', Verdict>> => {
    const { code, lines, last } = await command([
      ...['drill', name, '--seed', String(seed), '--rounds', String(rounds)],
      ...(seconds ? ['--seconds', String(seconds)] : []),
    ])
    if (lines.length === 0) {
      const error: Verdict = { is: 'error', why: last }
      return { drill: error, auditor: error }
    }
    const report: DrillReport = JSON.parse(lines.join(''))
    const violated = report.audit.found.map(({ invariant, check, found }) => ({
      line: `${invariant} ${check}: ${found} violations`,
      by: `${invariant} ${check}`,
    }))
    const [own] = report.failures.filter(
      (failure) => !violated.some(({ line }) => line === failure) && !ofTheMachine.test(failure),
    )
    if (code === 0 && report.failures.length > 0)
      throw new Error(`the drill ${name} failed and exited with 0`)
    return {
      drill: own ? caught(own) : missed,
      auditor: violated[0] ? caught(violated[0].by) : missed,
    }
  }

  const simulation = async (): Promise<Verdict> => {
    const objection = /^ {2}✗ (.+)$/
    const args = ['simulate', '--runs', String(simulationRuns), '--seed', String(seed)]
    const { code, lines, last } = await command(args)
    const [what] = lines.flatMap((line) => objection.exec(line)?.[1] ?? [])
    if (what) return caught(what)
    return code === 0 ? missed : { is: 'error', why: last }
  }

  return { test, drill, simulation }
}
