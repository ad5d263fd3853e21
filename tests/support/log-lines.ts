import { stack } from './stack.ts'

export type LogLine = Record<string, unknown> & { msg?: string }

/** The JSON lines that a process has logged so far. */
export const logLines = (name: string): LogLine[] =>
  stack
    .logs(name)
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine]
      } catch {
        return []
      }
    })
