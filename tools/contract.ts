import { existsSync } from 'node:fs'
import { operations } from '@caravan/contracts/all'
import { run } from './launcher/run.ts'

// `npm run contract -- <app>`: holds whatever answers to a Dapr app id in the running stack to that app's contract, in
// whichever language it is written.

const apps = [...new Set(operations.map(({ app }) => app))]
const [app = '', ...rest] = process.argv.slice(2)
const file = `tests/contract/${app}.contract.ts`

if (!apps.includes(app) || rest.length > 0 || !existsSync(file)) {
  console.error(`usage: npm run contract -- <app>, where app is one of ${apps.join(', ')}`)
  process.exit(2)
}
// Set where a test runs this command: it would make the runner a part of that test.
delete process.env.NODE_TEST_CONTEXT
process.exitCode = await run('node', ['--test', '--test-concurrency=1', '--test-reporter=spec', file])
