import { renameSync, writeFileSync } from 'node:fs'

/** Replaces a JSON file in one step, with mode 0600. */
export const writePrivately = (file: string, value: unknown): void => {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
