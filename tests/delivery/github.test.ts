import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { provideGoTool } from '../../tools/launcher/go-tool.ts'
import { find, read, root } from '../checks/repository.ts'

const actionlint = await provideGoTool(root, 'actionlint', console.error)
const workflow = '.github/workflows/delivery.yml'

/** What actionlint finds wrong in a workflow that would stand where ours does. */
const faults = (text: string): string => {
  const args = ['-no-color', '-shellcheck=', '-pyflakes=', '-stdin-filename', workflow, '-']
  const { stdout, stderr } = spawnSync(actionlint, args, { cwd: root, input: text, encoding: 'utf8' })
  return stdout + stderr
}

test('the workflow is one that GitHub Actions takes', () => {
  assert.deepEqual(find('.github/workflows/*'), [workflow])
  assert.equal(faults(read(workflow)), '')
})

const mistakes: [string, string, RegExp][] = [
  ['needs: [check, test]', 'needs: [check, tests]', /needs job "tests"/],
  ['timeout-minutes', 'timeout-minute', /unexpected key "timeout-minute"/],
  ['vars.REGISTRY', 'var.REGISTRY', /undefined variable "var"/],
  ['id-token: write', 'id-token: yes', /permission/],
]
for (const [right, wrong, told] of mistakes)
  test(`${wrong} is refused`, () => {
    assert.match(faults(read(workflow).replace(right, wrong)), told)
  })

test('an action is a folder of ours that is there, or a commit, whose version stands beside it', () => {
  const used = find('.github/**/*.yml').flatMap((file) =>
    [...read(file).matchAll(/uses: (.*)/g)].map(([, action = '']) => action),
  )
  assert.ok(used.length > 8)
  for (const action of used)
    if (action.startsWith('./')) assert.equal(find(`${action}/action.yml`).length, 1, action)
    else assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})
