import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { componentTypes, renderResources } from './resources.ts'

const endpoint = (name: string) => `# why
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: http://127.0.0.1:6100 }
`

const fixture = (t: { after: (end: () => void) => void }) => {
  const dir = mkdtempSync(join(tmpdir(), 'caravan-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const folder of ['common', 'local', 'kafka']) {
    mkdirSync(join(dir, folder))
    writeFileSync(join(dir, folder, 'pubsub.yaml'), `kind: Component # ${folder}\n`)
  }
  writeFileSync(join(dir, 'common/psp.yaml'), endpoint('psp'))
  writeFileSync(join(dir, 'common/other.yaml'), endpoint('other'))
  const resourceFolders = [join(dir, 'common'), join(dir, 'local')]
  const topology = { apps: [], outside: [], resourceFolders }
  const render = (set: string) =>
    renderResources(topology, join(dir, 'out'), { psp: 'http://127.0.0.1:7' }, set)
  return { dir, render, read: (file: string) => readFileSync(join(dir, 'out', file), 'utf8') }
}

test('only the named endpoint changes, the rest of its file and every other file stay', (t) => {
  const { dir, render, read } = fixture(t)
  assert.deepEqual(render('local'), [join(dir, 'out/common'), join(dir, 'out/local')])
  assert.equal(read('common/psp.yaml'), endpoint('psp').replace(':6100', ':7'))
  assert.equal(read('common/other.yaml'), endpoint('other'))
  assert.equal(read('local/pubsub.yaml'), 'kind: Component # local\n')
})

test('another set of components takes the place of the last folder, and nothing of before remains', (t) => {
  const { dir, render, read } = fixture(t)
  render('local')
  assert.deepEqual(render('kafka'), [join(dir, 'out/common'), join(dir, 'out/kafka')])
  assert.equal(read('kafka/pubsub.yaml'), 'kind: Component # kafka\n')
  assert.throws(() => read('local/pubsub.yaml'))
  assert.throws(() => render('pulsar'), /no folder of components/)
})

test('components, middleware and name resolution are named by their types, each once', (t) => {
  const { dir } = fixture(t)
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  assert.deepEqual(
    componentTypes([
      file('a.yaml', 'kind: Component\nspec: { type: pubsub.redis }'),
      file(
        'b.yaml',
        'kind: Component\nspec: { type: pubsub.redis }\n---\nkind: Component\nspec: { type: state.redis }',
      ),
      file('c.yaml', 'kind: Configuration\nspec: { nameResolution: { component: sqlite } }'),
      file(
        'd.yaml',
        `kind: Configuration
spec:
  httpPipeline: { handlers: [{ name: bearer, type: middleware.http.bearer }] }
  appHttpPipeline: { handlers: [{ name: limit, type: middleware.http.ratelimit }] }`,
      ),
      file('e.yaml', 'kind: Resiliency\nspec: { type: none }'),
      file('f.yaml', ''),
      file('g.yaml', 'kind: Component\nresources: [a.yaml]'),
    ]),
    [
      ...['middleware.http.bearer', 'middleware.http.ratelimit', 'nameresolution.sqlite'],
      ...['pubsub.redis', 'state.redis'],
    ],
  )
})
