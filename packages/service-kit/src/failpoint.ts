import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a drill may stop a process dead: around what another party sees. */
export const failpoints = [
  'before-commit',
  'after-commit',
  'before-publish',
  'after-publish',
  'before-provider-call',
  'after-provider-call',
  'before-step',
  'after-step',
  'before-acknowledgement',
  'after-acknowledgement',
  'before-answer',
] as const

export type Failpoint = (typeof failpoints)[number]

let pass: ((point: Failpoint) => void) | undefined

/** Does nothing unless `armFailpoints` was called. */
export const failpoint = (point: Failpoint): void => pass?.(point)

/**
 * From now on a file `<app>.<point>` in `folder` stops the first process of the app that comes to that point: by SIGSTOP,
 * before its next instruction, to be killed there. It then renames the file to `<app>.<point>.hit`. A point that was
 * passed at least once leaves `<app>.<point>.seen`.
 */
export const armFailpoints = (folder: string, app: string): void => {
  const seen = new Set<Failpoint>()
  pass = (point) => {
    const file = join(folder, `${app}.${point}`)
    if (!seen.has(point)) writeFileSync(`${file}.seen`, '')
    seen.add(point)
    try {
      // Of several processes that come at once, one succeeds.
      renameSync(file, `${file}.hit`)
    } catch {
      return
    }
    process.kill(process.pid, 'SIGSTOP')
  }
}
