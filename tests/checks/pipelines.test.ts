import assert from 'node:assert/strict'
import { test } from 'node:test'
import { read } from './repository.ts'

const pipelines = ['.github/workflows/delivery.yml', '.gitlab-ci.yml', 'Jenkinsfile']
const steps = [
  ...['npm run check', 'npm run verify:delivery', 'npm run verify:invoices', 'npm test', 'npm run images'],
  ...['npm run scan', 'npm run images -- --push', 'npm run release', 'npm run promote'],
]

const { scripts, devDependencies } = JSON.parse(read('package.json'))

for (const file of pipelines)
  test(`${file} does what the others do, in their order, and nothing beside npm's scripts`, () => {
    const called = [...read(file).matchAll(/npm (?:run )?[\w:]+(?: -- [\w -]+)?/g)].map(
      ([command]) => command,
    )
    assert.deepEqual([...new Set(called)], steps)
    for (const command of called)
      assert.ok(command.replace(/^npm (?:run )?([\w:]+).*/, '$1') in scripts, command)
  })

test('pipelines run on the Node of package.json', () => {
  assert.match(read('.gitlab-ci.yml'), new RegExp(`image: node:${devDependencies.node}-`))
  const [major] = devDependencies.node.split('.')
  assert.match(read('.github/actions/set-up/action.yml'), new RegExp(`node-version: ${major},`))
})
