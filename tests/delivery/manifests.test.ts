import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { provideGoTool } from '../../tools/launcher/go-tool.ts'
import { find, read, root } from '../checks/repository.ts'
import { writeSchemas } from './crd-schemas.ts'

const kubeconform = await provideGoTool(root, 'kubeconform', console.error)
const folder = mkdtempSync(join(tmpdir(), 'caravan-schemas-'))
after(() => rmSync(folder, { recursive: true }))
const schemas = writeSchemas(folder)

/** What kubeconform finds wrong, a line each. */
const faults = (text: string): string => {
  const { stdout, stderr } = spawnSync(kubeconform, ['-strict', '-schema-location', schemas, '-'], {
    ...{ input: text, encoding: 'utf8' },
  })
  return stdout + stderr
}

const files = find('deploy/argocd/*.yaml', 'deploy/opentofu/*/*.yaml')

for (const file of files)
  test(`${file} is as its kinds are defined`, () => {
    assert.equal(faults(read(file)), '')
  })

const mistakes: [string, string, string][] = [
  ['deploy/argocd/project.yaml', 'sourceRepos', 'sourceRepo'],
  ['deploy/argocd/applications.yaml', 'selfHeal: true', 'selfHeal: always'],
  ['deploy/argocd/applications.yaml', 'targetRevision', 'targetRevison'],
  ['deploy/opentofu/stores/network.yaml', 'podSelector:', 'podSelectors:'],
]
for (const [file, right, wrong] of mistakes)
  test(`${wrong} in ${file} is refused`, () => {
    const broken = read(file).replace(right, wrong)
    assert.notEqual(broken, read(file))
    assert.match(faults(broken), /invalid|additional|enum|boolean/i)
  })
