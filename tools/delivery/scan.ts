import { spawnSync } from 'node:child_process'
import { provideGoTool } from '../launcher/go-tool.ts'
import { findProgram } from '../launcher/programs.ts'
import { repository } from '../launcher/stack-file.ts'
import { readTopology } from '../launcher/topology.ts'

// npm run scan: refuses the images that npm run images built when one has a known vulnerability, high or critical, that has a fix.
// An exception is a rule with a reason below `ignore` in .grype.yaml. grype fetches its database when it has none of these days.

const { CARAVAN_REGISTRY: registry = '', CARAVAN_TAG: tag = 'latest' } = process.env
const grype = findProgram('grype') ?? (await provideGoTool(repository, 'grype', console.error))
const { apps, outside } = readTopology(repository)
const policy = ['--fail-on', 'high', '--only-fixed']
const refused = [...apps, ...outside]
  .map(({ appID }) => `${registry}caravan-${appID}:${tag}`)
  .filter((image) => {
    const { status } = spawnSync(grype, [`docker:${image}`, ...policy], { cwd: repository, stdio: 'inherit' })
    return status !== 0
  })
if (refused.length > 0) throw new Error(`refused: ${refused.join(', ')}`)
