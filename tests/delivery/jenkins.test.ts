import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cacheFolder } from '../../tools/launcher/go-build.ts'
import { read, root } from '../checks/repository.ts'

type Stage = { name: string; sh: string[]; when: boolean; input: boolean }

/** The Groovy that Jenkins runs Jenkinsfiles with, from Maven Central, once per machine. Needs Java and Maven. */
const provideGroovy = (): string => {
  const version = '2.4.21'
  const folder = cacheFolder(`groovy-${version}`)
  const jar = join(folder, `groovy-all-${version}.jar`)
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
  const artifact = `org.codehaus.groovy:groovy-all:${version}`
  if (!existsSync(jar)) {
    const args = ['-B', '-q', copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]
    const { status, stdout, error } = spawnSync('mvn', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`Maven has to fetch ${artifact}: ${error?.message ?? stdout}`)
  }
  return jar
}
const groovy = provideGroovy()

/** What Jenkins would do, by stages; throws why it would refuse. */
const stagesOf = (jenkinsfile: string): Stage[] => {
  const args = ['-cp', groovy, 'groovy.ui.GroovyMain', 'tests/delivery/declarative.groovy']
  const { status, stdout, stderr } = spawnSync('java', args, {
    cwd: root,
    input: jenkinsfile,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

test('the Jenkinsfile is a declarative pipeline that Jenkins takes, and only main is released', () => {
  const stages = stagesOf(read('Jenkinsfile'))
  assert.deepEqual(
    stages.map(({ name, when, input }) => [name, when, input]),
    [
      ['check', false, false],
      ['test', false, false],
      ['images', false, false],
      ['release', true, false],
      ['online', true, true],
    ],
  )
  assert.equal(stages.at(-1)?.sh.join(), 'npm run promote')
})

const mistakes: [string, string, RegExp][] = [
  ["sh 'npm test'", "shell 'npm test'", /steps has no shell/],
  ['credentialsId:', 'credentialId:', /gitUsernamePassword has no credentialId/],
  ["agent { label 'caravan' }", '', /pipeline has to have agent/],
  ['REGISTRY}/', 'REGISTER}/', /environment knows no REGISTER/],
  ['beforeInput true', 'beforeInputs true', /when has no beforeInputs/],
  ['steps {', 'step {', /stage check has no step/],
  ["stage('test') {", "stage('test') ", /Jenkinsfile: \d+/],
]
for (const [right, wrong, told] of mistakes)
  test(`${wrong || `nothing for ${right}`} is refused`, () => {
    assert.throws(() => stagesOf(read('Jenkinsfile').replace(right, wrong)), told)
  })
