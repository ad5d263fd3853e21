import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

// Servers live outside an ordinary user's PATH on Debian, and beside it with Homebrew.
const more = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin', '/opt/homebrew/sbin']

/** The path of the first of these programs that can be run, or undefined. */
export const findProgram = (...names: string[]): string | undefined =>
  names
    .flatMap((name) =>
      [...(process.env.PATH ?? '').split(delimiter), ...more].map((folder) => join(folder, name)),
    )
    .find(isExecutable)

const isExecutable = (file: string) => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
