import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { provideGoTool } from '../launcher/go-tool.ts'
import { findProgram } from '../launcher/programs.ts'
import { repository } from '../launcher/stack-file.ts'
import { readTopology } from '../launcher/topology.ts'
import { commitImages, type Image } from './overlay.ts'

// npm run release: signs the images that npm run images pushed to CARAVAN_REGISTRY as CARAVAN_TAG, attests the SBOM of each, both
// with cosign, and gives their digests to the overlay `test`. With COSIGN_PRIVATE_KEY nothing is told to anybody outside: the
// signing configuration names no public log. Without, cosign signs with the identity that the pipeline lends it.

const { CARAVAN_REGISTRY: registry, CARAVAN_TAG: tag, COSIGN_PRIVATE_KEY: key } = process.env
if (!registry?.endsWith('/') || !tag)
  throw new Error('CARAVAN_REGISTRY, with a / at its end, and CARAVAN_TAG say what to release')

const capture = (file: string, ...args: string[]) => execFileSync(file, args, { encoding: 'utf8' }).trim()
const run = (file: string, ...args: string[]) => void execFileSync(file, args, { stdio: 'inherit' })
const cosign = findProgram('cosign') ?? (await provideGoTool(repository, 'cosign', console.error))
const byKey = [
  ...['--key', 'env://COSIGN_PRIVATE_KEY'],
  ...['--signing-config', join(repository, 'tools/delivery/signing-config.json')],
]
const signed = ['--yes', ...(key ? byKey : [])]

const release = (app: string): Image => {
  const name = `caravan-${app}`
  const newName = `${registry}${name}`
  // One for each registry that the image was pushed to.
  const digests: string[] = JSON.parse(
    capture('docker', 'image', 'inspect', '--format', '{{json .RepoDigests}}', `${newName}:${tag}`),
  )
  const pushed = digests.find((digest) => digest.startsWith(`${newName}@`))
  if (!pushed) throw new Error(`${newName}:${tag} was not pushed: npm run images -- --push`)
  run(cosign, 'sign', ...signed, pushed)
  const sbom = join(repository, '.caravan/images', `${app}.cdx.json`)
  run(cosign, 'attest', ...signed, '--type', 'cyclonedx', '--predicate', sbom, pushed)
  return { name, newName, digest: pushed.slice(newName.length + 1) }
}

const { apps, outside } = readTopology(repository)
const images = [...apps, ...outside].map(({ appID }) => release(appID))
commitImages(repository, 'test', () => images)
