import { parseArgs } from 'node:util'
import { buildImages } from './build-images.ts'
import { capture, findDocker } from './docker.ts'

// npm run images -- [app…] [options]: an image of each app of dapr.yaml, with its bill of materials in .caravan/images.

const usage = `npm run images -- [app…] [--registry harbor.example/shop/] [--tag latest] [--node-image node:…@sha256:…]
                [--ca file.pem] [--push]`

const main = (): void => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      registry: { type: 'string', default: process.env.CARAVAN_REGISTRY ?? '' },
      tag: { type: 'string', default: process.env.CARAVAN_TAG ?? 'latest' },
      'node-image': { type: 'string' },
      ca: { type: 'string', default: process.env.NODE_EXTRA_CA_CERTS ?? '' },
      push: { type: 'boolean', default: false },
    },
  })
  const docker = findDocker()
  if (!docker) throw new Error('install Docker with buildx')
  const { registry, tag, 'node-image': nodeImage, ca, push } = values
  const images = buildImages(docker, { apps: positionals, registry, tag, nodeImage, ca }, console.log)
  if (push) for (const image of images) console.log(capture([docker, 'push', '--quiet', image]))
}

try {
  main()
} catch (error) {
  const { message, code = '' } = error as NodeJS.ErrnoException
  console.error(code.startsWith('ERR_PARSE_ARGS') ? `${message}\n\n${usage}` : message)
  process.exitCode = 1
}
