import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, cacheFolder, haveGo } from './go-build.ts'

/** The path of the Toxiproxy server that tools/toxiproxy pins, built once per machine. Throws without Go. */
export const provideToxiproxy = async (root: string, log: (line: string) => void): Promise<string> => {
  const module = join(root, 'tools/toxiproxy')
  const [, version] = /Shopify\/toxiproxy\/v2 v(\S+)/.exec(readFileSync(join(module, 'go.mod'), 'utf8')) ?? []
  if (!version) throw new Error('tools/toxiproxy/go.mod names no version of Toxiproxy')
  if (!haveGo()) throw new Error('Toxiproxy is built with Go: https://go.dev/dl')
  const folder = cacheFolder(`toxiproxy-${version}`)
  const packages = ['github.com/Shopify/toxiproxy/v2/cmd/server']
  await buildOnce({ what: `Toxiproxy ${version}`, module, packages, folder }, log)
  return join(folder, 'server')
}
