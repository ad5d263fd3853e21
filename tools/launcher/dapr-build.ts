import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, cacheFolder, moduleSource } from './go-build.ts'

/** The components that a Dapr built here has, by the names that YAML gives them: `pubsub.redis`. */
export const builtComponents = (root: string): string[] =>
  readFileSync(join(root, 'tools/dapr/components.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

/** Where a Dapr of this version with these components is kept once it was built. */
export const builtFolder = (root: string, version: string): string => {
  const set = createHash('sha256').update(builtComponents(root).join(' ')).digest('hex').slice(0, 8)
  return cacheFolder(`dapr-${version}-${set}`)
}

const dapr = 'github.com/dapr/dapr/cmd'
const ours = 'caravan/tools/dapr'

/**
 * Builds Dapr's programs with Go into `folder`, once per machine; daprd with the listed components only. Throws when that
 * fails, or when Dapr has no such component.
 */
export const buildDapr = (
  root: string,
  version: string,
  programs: readonly string[],
  folder: string,
  log: (line: string) => void,
): Promise<void> => {
  const module = join(root, 'tools/dapr')
  return buildOnce(
    {
      ...{ what: `Dapr ${version}`, module, folder },
      packages: programs.map((program) => `${program === 'daprd' ? ours : dapr}/${program}`),
      flags: [
        ...['-tags', 'allcomponents'],
        ...['-ldflags', `-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${version}`],
      ],
      prepare: (scratch) => {
        const file = join(scratch, 'overlay.json')
        const source = moduleSource(module, 'github.com/dapr/dapr')
        writeFileSync(
          file,
          JSON.stringify({ Replace: ownDaprd(module, source, scratch, builtComponents(root)) }),
        )
        return ['-overlay', file]
      },
    },
    log,
  )
}

/**
 * The files that Go is to see in a folder `daprd` of our module, which does not exist, each with where it really is: Dapr's
 * own main, changed only to register a part of the components, and Dapr's registrations of these. (Dapr's build tags
 * choose all of the components or the stable ones, and Go lets nobody overlay a module in its cache.)
 */
export const ownDaprd = (
  module: string,
  source: string,
  scratch: string,
  components: readonly string[],
): Record<string, string> => {
  const place = (path: string) => join(module, 'daprd', path)
  const changed = (path: string): [string, string] => {
    const text = readFileSync(join(source, 'cmd/daprd', path), 'utf8')
    const file = join(scratch, path.replaceAll('/', '-'))
    writeFileSync(
      file,
      text.replace(/"github\.com\/dapr\/dapr\/cmd\/daprd\/(app|components)"/g, `"${ours}/daprd/$1"`),
    )
    return [place(path), file]
  }
  const registrations = components.map((component): [string, string] => {
    const path = `components/${component.replaceAll('.', '_')}.go`
    const file = join(source, 'cmd/daprd', path)
    if (!existsSync(file))
      throw new Error(`Dapr has no component ${component}, which tools/dapr/components.txt lists`)
    return [place(path), file]
  })
  return Object.fromEntries([changed('main.go'), changed('app/app.go'), ...registrations])
}
