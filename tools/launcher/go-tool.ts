import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildOnce, cacheFolder, haveGo } from './go-build.ts'

/** What the go.mod of a tools module pins: the package of its program, and the version of the module that has it. */
export const pinnedTool = (goMod: string): { program: string; version: string } => {
  const [, program = ''] = /^tool (\S+)$/m.exec(goMod) ?? []
  const required = [...goMod.matchAll(/^(?:require )?\s*(\S+\.\S+) v(\S+)/gm)]
  const [, , version] = required.find(([, module]) => `${program}/`.startsWith(`${module}/`)) ?? []
  if (!version) throw new Error(`a go.mod names no version of its tool ${program}`)
  return { program, version }
}

/** The path of the program that `tools/<name>` pins, built once per machine and version, with these flags. Throws without Go. */
export const provideGoTool = async (
  root: string,
  name: string,
  log: (line: string) => void,
  flags: string[] = [],
): Promise<string> => {
  const module = join(root, 'tools', name)
  const { program, version } = pinnedTool(readFileSync(join(module, 'go.mod'), 'utf8'))
  if (!haveGo()) throw new Error(`${name} is built with Go: https://go.dev/dl`)
  const folder = cacheFolder(`${name}-${version}`)
  await buildOnce({ what: `${name} ${version}`, module, packages: [program], flags, folder }, log)
  return join(folder, basename(program))
}
