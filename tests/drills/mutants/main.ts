import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { stackFolder } from '../../../tools/launcher/stack-file.ts'
import { detectors } from './detectors.ts'
import { type MutantsReport, runMutants, tell } from './run-mutants.ts'

const heading = '## Mutants'

/** The report as a table: mutants by detectors. */
export const mutantTable = ({ mutants }: MutantsReport): string[][] => [
  ['mutant', ...detectors],
  ...mutants.map(({ name, what, verdicts }) => [
    `${name}: ${what}`,
    ...detectors.map((detector) => tell(verdicts[detector])),
  ]),
]

const markdown = (report: MutantsReport): string => {
  const { commit, uncommittedChanges, at, seconds, failures } = report
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const [head = [], ...rows] = mutantTable(report)
  const changes = uncommittedChanges ? ' with changes' : ''
  return [
    heading,
    'Written by `npm run drill -- mutants --report docs/drills.md`: what notices that one safeguard is switched off. The test is one ' +
      'that there was; the auditor reads the books after the drill.',
    '',
    `Begun ${at} at ${commit.slice(0, 12)}${changes}, took ${Math.round(seconds / 60)} minutes. ${failures.join('; ') || 'All were caught.'}`,
    '',
    ...[head, head.map(() => '---'), ...rows].map(row),
    '',
  ].join('\n')
}

/** `npm run drill -- mutants [--only NAME] [--report FILE]`. Resolves with the exit code: 0 when all were caught, 1 when not, 2
 * when nobody can say. */
export const main = async (args: string[]): Promise<number> => {
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort())
  const { signal } = interruption
  const { only, report: file } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      /** A Markdown file, whose last section it becomes. */
      report: { type: 'string' },
    },
  }).values
  const log = (line: string) => console.error(`mutants: ${line}`)
  const report = await runMutants({ only, signal, log }).catch((error) => log(error.message))
  if (!report) return 2
  for (const { name, what, seconds, verdicts } of report.mutants) {
    console.error(`\n${name}: ${what} (${seconds} s)`)
    for (const detector of detectors) console.error(`  ${detector.padEnd(12)} ${tell(verdicts[detector])}`)
  }
  console.error(`\n${report.failures.join('\n') || 'all were caught'}, ${report.seconds} s in all`)
  const folder = stackFolder('drills')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'mutants.json'), `${JSON.stringify(report, null, 2)}\n`)
  if (file) {
    const before = existsSync(file) ? readFileSync(file, 'utf8').split(`\n${heading}\n`)[0] : ''
    writeFileSync(file, `${before?.trimEnd()}\n\n${markdown(report)}`.trimStart())
  }
  console.log(JSON.stringify(report, null, 2))
  return report.failures.length > 0 ? 1 : 0
}
