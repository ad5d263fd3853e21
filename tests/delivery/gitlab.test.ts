import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { read, root } from '../checks/repository.ts'

// gitlab-ci-local reads the pipeline by GitLab's own schema and resolves what jobs refer to.
const pipeline = read('.gitlab-ci.yml')
mkdirSync(join(root, '.caravan'), { recursive: true })
const folder = mkdtempSync(join(root, '.caravan/gitlab-'))
after(() => rmSync(folder, { recursive: true }))

/** The jobs of a pipeline, as CSV; throws what is wrong with it. */
const jobsOf = (text: string): string => {
  writeFileSync(join(folder, 'pipeline.yml'), text)
  const inFolder = (name: string) => join(relative(root, folder), name)
  const args = ['--list-csv-all', '--file', inFolder('pipeline.yml'), '--state-dir', inFolder('state')]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/gitlab-ci-local/dist/index.js'), ...args],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stdout + stderr)
  return stdout
}

test('the pipeline is one that GitLab takes, with these jobs', () => {
  const [, ...jobs] = jobsOf(pipeline).trim().split('\n')
  assert.deepEqual(
    jobs.map((job) => job.split(';')[0]),
    ['check', 'test', 'images', 'release', 'online'],
  )
})

const mistakes: [string, string, RegExp][] = [
  ['needs: [release]', 'needs: [releases]', /needs: \[releases\] for online could not be found/],
  ['stage: images', 'stage: image', /stage:image not found for images/],
  ['extends: .docker', 'extends: .dockers', /\.dockers/],
  ['id_tokens:', 'id_token:', /'id_token' property is not expected/],
  ['[default, before_script]', '[defaults, before_script]', /defaults/],
]
for (const [right, wrong, told] of mistakes)
  test(`${wrong} is refused`, () => {
    assert.notEqual(pipeline.replace(right, wrong), pipeline)
    assert.throws(() => jobsOf(pipeline.replace(right, wrong)), told)
  })
