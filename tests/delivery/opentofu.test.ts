import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { arch, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pinnedTool, provideGoTool } from '../../tools/launcher/go-tool.ts'
import { read, root } from '../checks/repository.ts'

const tofu = await provideGoTool(root, 'opentofu', console.error)
const provider = await provideGoTool(root, 'opentofu-kustomization', console.error)
const folder = mkdtempSync(join(tmpdir(), 'caravan-tofu-'))
after(() => rmSync(folder, { recursive: true }))

/** A registry of providers as a folder, with the one that is pinned here. */
const { version } = pinnedTool(read('tools/opentofu-kustomization/go.mod'))
const place = `registry.opentofu.org/kbst/kustomization/${version}/${platform()}_${arch() === 'x64' ? 'amd64' : arch()}`
mkdirSync(join(folder, 'providers', place), { recursive: true })
copyFileSync(provider, join(folder, 'providers', place, `terraform-provider-kustomization_v${version}`))
const settings = join(folder, 'settings.tfrc')
writeFileSync(settings, `provider_installation {\n  filesystem_mirror { path = "${folder}/providers" }\n}\n`)

cpSync(join(root, 'deploy'), join(folder, 'deploy'), { recursive: true })
const home = join(folder, 'deploy/opentofu')
const env = { ...process.env, TF_CLI_CONFIG_FILE: settings, TF_IN_AUTOMATION: '1' }
const run = (...args: string[]) => execFileSync(tofu, [`-chdir=${home}`, ...args], { env, encoding: 'utf8' })
run('init', '-backend=false', '-input=false', '-no-color')

/** What `tofu validate` finds wrong. */
const faults = (): string => {
  const { stdout } = spawnSync(tofu, [`-chdir=${home}`, 'validate', '-json'], { env, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { summary: string; detail: string }[] }
  return diagnostics.map(({ summary, detail }) => `${summary}: ${detail}`).join('\n')
}

test('the files are formatted, and fit one another and the provider', () => {
  assert.equal(run('fmt', '-check', '-recursive'), '')
  assert.equal(faults(), '')
})

const mistakes: [file: string, right: string, wrong: string, told: RegExp][] = [
  ['main.tf', 'kubeconfig_path', 'kubeconfig_paths', /Unsupported argument/],
  ['main.tf', 'var.dapr_version', 'var.dapr_versions', /undeclared input variable/],
  ['main.tf', 'helm_charts {', 'helm_chart {', /Unsupported block type/],
  ['main.tf', 'data.kustomization_overlay.dapr\n', 'data.kustomization_overlay.dapr.ids\n', /manifests/],
  ['manifests/main.tf', 'wait       = true', 'wait = "soon"', /bool/],
]
for (const [file, right, wrong, told] of mistakes)
  test(`${wrong.trim()} is refused`, (t) => {
    const path = join(home, file)
    const text = readFileSync(path, 'utf8')
    t.after(() => writeFileSync(path, text))
    assert.notEqual(text.replace(right, wrong), text)
    writeFileSync(path, text.replace(right, wrong))
    assert.match(faults(), told)
  })

test('MySQL and Redis are those of the overlays, in a namespace of their own, on volumes of the size that is asked for', () => {
  // Building needs no cluster, only a file that names one.
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = { name: 'x', cluster: { server: 'https://127.0.0.1:1' } }
  const context = { name: 'x', context: { cluster: 'x', user: 'x' } }
  writeFileSync(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], users: [] }))
  const stores = join(folder, 'values.json')
  writeFileSync(stores, JSON.stringify({ 'mysql-root': 'secret', 'redis-password': 'another' }))
  const values = { kubeconfig, context: 'x', stores, mysql_storage: '7Gi' }
  const given = Object.entries(values).map(([name, value]) => `-var=${name}=${value}`)
  run('plan', '-target=data.kustomization_overlay.stores', '-input=false', '-no-color', '-out=plan', ...given)
  const { prior_state } = JSON.parse(run('show', '-json', 'plan'))
  const [overlay] = prior_state.values.root_module.resources
  const manifests = overlay.values.manifests as Record<string, string>
  const manifest = (id: string) =>
    JSON.parse(manifests[id] ?? assert.fail(`no ${id}: ${Object.keys(manifests)}`))
  const size = (id: string) =>
    manifest(`apps/StatefulSet/caravan-stores/${id}`).spec.volumeClaimTemplates[0].spec.resources.requests
      .storage
  assert.deepEqual([size('mysql'), size('redis')], ['7Gi', '10Gi'])
  const { data } = manifest('_/Secret/caravan-stores/mysql-root')
  assert.equal(Buffer.from(data['mysql-root'], 'base64').toString(), 'secret')
  assert.deepEqual(overlay.values.ids_prio[0], ['_/Namespace/_/caravan-stores'])
})
