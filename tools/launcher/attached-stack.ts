import { readFileSync } from 'node:fs'
import { composeStack } from './compose-stack.ts'
import { askControl, endLauncher } from './control.ts'
import type { Stack } from './stack.ts'
import { isAlive, readStack, repository, type StackRecord, stackFolder, trustDoor } from './stack-file.ts'
import { type StackProcess, untilReady } from './supervised-process.ts'

/**
 * The stack of a profile for a process that did not start it: signals, `stop` and `start` go through its launcher, which
 * goes on supervising, or to its containers. Throws when no such stack runs.
 */
export const attachStack = (profile: string, root = repository): Stack => {
  const dir = stackFolder(profile, root)
  const record = (): StackRecord => {
    const found = readStack(profile, root)
    if (!found) throw new Error(`no stack "${profile}" runs; npm start begins one`)
    return found
  }
  const first = record()
  trustDoor(first)
  if (first.project) return composeStack(first, first.project, dir)

  const attach = (name: string): StackProcess => {
    const own = first.processes[name]
    if (!own) throw new Error(`no process is called ${name}: ${Object.keys(first.processes).join(', ')}`)
    const pid = () => record().processes[name]?.pid ?? undefined
    const running = () => {
      const current = pid()
      return current !== undefined && isAlive(current)
    }
    return {
      ...{ name, host: own.host ?? '127.0.0.1', ports: own.ports, logFile: own.logFile, running },
      get pid() {
        return pid()
      },
      kill: (signal) => askControl(dir, { process: name, action: 'kill', signal }),
      stop: () => askControl(dir, { process: name, action: 'stop' }),
      start: () => askControl(dir, { process: name, action: 'start' }),
      ready: (deadlineMs = 180_000) =>
        untilReady({ name, ...own }, deadlineMs, () => (running() ? 'running' : 'down')),
    }
  }

  return {
    ...first,
    dir,
    secrets: JSON.parse(readFileSync(first.secretsFile, 'utf8')),
    process: attach,
    logs: (name) => readFileSync(attach(name).logFile, 'utf8'),
    stop: () => endLauncher(dir),
  }
}
