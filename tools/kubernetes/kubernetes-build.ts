import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, cacheFolder, haveGo } from '../launcher/go-build.ts'

/**
 * A folder with these programs of the Kubernetes that tools/kubernetes pins, built once per machine for each set of them. Throws
 * without Go.
 */
export const provideKubernetes = async (
  root: string,
  programs: readonly string[],
  log: (line: string) => void,
): Promise<string> => {
  const module = join(root, 'tools/kubernetes')
  const [, version] = /k8s\.io\/kubernetes v(\S+)/.exec(readFileSync(join(module, 'go.mod'), 'utf8')) ?? []
  if (!version) throw new Error('tools/kubernetes/go.mod names no version of Kubernetes')
  if (!haveGo()) throw new Error('Kubernetes is built with Go: https://go.dev/dl')
  const folder = cacheFolder(`kubernetes-${version}-${[...programs].sort().join('-')}`)
  const [gitMajor, gitMinor] = version.split('.')
  // Programs that do not know their version take themselves for 0.0.
  const marks = Object.entries({ gitVersion: `v${version}`, gitMajor, gitMinor }).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  )
  const packages = programs.map((program) => `k8s.io/kubernetes/cmd/${program}`)
  const flags = ['-ldflags', ['-s -w', ...marks].join(' ')]
  await buildOnce({ what: `Kubernetes ${version}`, module, packages, flags, folder }, log)
  return folder
}
