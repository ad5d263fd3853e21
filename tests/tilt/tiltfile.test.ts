import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { provideGoTool } from '../../tools/launcher/go-tool.ts'
import { find, read, readYaml, root, topology } from '../checks/repository.ts'

type Step = { step: string; paths: string[]; remote?: string }
type Image = {
  context: string
  build_args: Record<string, string>
  dockerfile: string
  watched: string[]
  live_update: Step[]
}
type Recorded = {
  local: string[]
  compose: [string, { yaml: { services: Record<string, object> } }][]
  images: Record<string, Image>
  resources: Record<string, string[]>
}
type Service = { image?: string; profiles?: string[] }

const starlark = await provideGoTool(root, 'starlark', console.error)
const { services } = readYaml<{ services: Record<string, Service> }>('docker-compose.yml')
const tiltfile = read('Tiltfile')

/** Executes a Tiltfile, in Starlark as Tilt has it. Throws what Starlark says when it ends with an error. */
const execute = (text: string, documents = ['dapr/dapr.yaml', 'docker-compose.yml']): Recorded => {
  const held = Object.fromEntries(documents.map((path) => [path, readYaml(path)]))
  const program = [
    `documents = json.decode(${JSON.stringify(JSON.stringify(held))})`,
    read('tests/tilt/stand-ins.star'),
    text,
    'print(json.encode(recorded))',
  ].join('\n')
  const { status, stderr } = spawnSync(starlark, ['-globalreassign', '-c', program], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stderr)
}

const recorded = execute(tiltfile)

test('Tilt builds every app of dapr.yaml, as Compose names it', () => {
  const apps = [...topology.apps, ...topology.outside].map(({ appID }) => appID)
  assert.deepEqual(
    Object.entries(recorded.images).map(([ref, { build_args, context }]) => [ref, build_args.APP, context]),
    apps.toSorted().map((app) => [`caravan-${app}`, app, '.']),
  )
  const [[file, changes] = []] = recorded.compose
  assert.equal(file, 'docker-compose.yml')
  assert.deepEqual(Object.keys(changes?.yaml.services ?? {}).sort(), apps.toSorted())
  for (const app of apps)
    assert.match(services[app]?.image ?? '', new RegExp(`^(\\$\\{\\w+:-\\})?caravan-${app}(:|$)`))
})

test('all paths are there, and a saved file goes where the image has it: it is watched, and its app starts again', () => {
  for (const command of recorded.local)
    for (const file of command.split(' ').filter((word) => word.includes('/'))) assert.ok(find(file).length)
  for (const [ref, { dockerfile, watched, live_update }] of Object.entries(recorded.images)) {
    for (const path of [dockerfile, ...watched]) assert.equal(find(path).length, 1, path)
    for (const { paths, remote } of live_update)
      for (const path of paths) {
        assert.equal(find(path).length, 1, path)
        assert.ok(
          watched.some((each) => `${path}/`.startsWith(`${each}/`)),
          `${ref} does not watch ${path}`,
        )
        if (remote) assert.equal(remote, `/shop/${path}`)
      }
    assert.match(live_update.map(({ step }) => step).join(' '), /^fall_back_on( sync)+ restart_container$/)
    const app = ref.replace('caravan-', '')
    assert.ok(live_update.some(({ paths }) => paths.includes(`apps/${app}/src`)))
  }
})

test('Tilt groups every service that it starts, and no other', () => {
  const started = Object.entries(services).filter(([, { profiles }]) => !profiles)
  assert.deepEqual(Object.keys(recorded.resources).sort(), started.map(([name]) => name).sort())
  assert.deepEqual(recorded.resources.orders, ['apps'])
  assert.deepEqual(recorded.resources['orders-dapr'], ['sidecars'])
  assert.deepEqual(recorded.resources.mysql, ['backing'])
})

const mistakes: [string, string | RegExp, string, RegExp][] = [
  ['a function', 'docker_build(', 'docker_built(', /undefined: docker_built/],
  ['a parameter of an image', 'live_update=', 'live_updates=', /unexpected keyword argument "?live_updates/],
  ['a parameter of a resource', 'labels=', 'label=', /unexpected keyword argument "?label/],
  ['a parameter too many', 'restart_container()', "restart_container('now')", /accepts no arguments/],
  ['a key of dapr.yaml', "topology['outside']", "topology['outsiders']", /key "outsiders" not in dict/],
  ['a file', "read_yaml('dapr/dapr.yaml')", "read_yaml('dapr.yaml')", /there is no dapr\.yaml/],
]
for (const [what, right, wrong, told] of mistakes)
  test(`${what} that is not there is refused`, () => {
    const broken = tiltfile.replace(right, wrong)
    assert.notEqual(broken, tiltfile)
    assert.throws(() => execute(broken), told)
  })
