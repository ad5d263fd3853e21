import type { Part, Sample, Samples } from './rounds.ts'
import { ratios, type Spread, spread } from './statistics.ts'

export type Result = Pick<Part, 'letter' | 'title' | 'about' | 'base' | 'legMs'> & {
  readonly samples: Samples
}

export interface Run {
  /** ISO 8601. */
  readonly at: string
  readonly commit: string
  readonly machine: string
  readonly rounds: number
  readonly minutes: number
}

/** Three figures; whole from a hundred on, with commas. */
export const figure = (number: number): string =>
  Math.abs(number) >= 100 || number === 0
    ? Math.round(number).toLocaleString('en')
    : String(Number(number.toPrecision(3)))

/** `median [least–most]`, or the one figure where all rounds show the same. */
export const showSpread = ({ median, min, max }: Spread): string =>
  figure(min) === figure(max) ? figure(median) : `${figure(median)} [${figure(min)}–${figure(max)}]`

export const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const total = (cpu: Sample['cpu']): number => Object.values(cpu).reduce((sum, ms) => sum + ms, 0)

const mainTable = ({ base, samples }: Pick<Result, 'base' | 'samples'>): string[] => {
  const first = [...samples.values()].flat()[0]
  const others = Object.keys(first?.more ?? {})
  const rates = (name: string) => (samples.get(name) ?? []).map(({ rate }) => rate)
  const show = (all: readonly Sample[], read: (sample: Sample) => number) => showSpread(spread(all.map(read)))
  return [
    row(['', 'a second', `to ${base}`, 'p50 ms', 'p99 ms', 'CPU ms each', ...others]),
    row(['---', ...Array.from({ length: 5 + others.length }, () => '---:')]),
    ...[...samples].map(([name, all]) =>
      row([
        ...[name, show(all, ({ rate }) => rate)],
        name === base ? '1' : showSpread(ratios(rates(name), rates(base))),
        ...[show(all, ({ p50 }) => p50), show(all, ({ p99 }) => p99), show(all, ({ cpu }) => total(cpu))],
        ...others.map((other) => show(all, ({ more }) => more?.[other] ?? Number.NaN)),
      ]),
    ),
  ]
}

/** Medians by process, the greatest first; those under 1 % of an operation's time together. */
const cpuTable = ({ samples }: Pick<Result, 'samples'>): string[] => {
  const legs = [...samples]
  const names = [...new Set(legs.flatMap(([, all]) => Object.keys(all[0]?.cpu ?? {})))]
  const median = (all: readonly Sample[], name: string) => spread(all.map(({ cpu }) => cpu[name] ?? 0)).median
  const most = (name: string) => Math.max(...legs.map(([, all]) => median(all, name)))
  const least = Math.max(...names.map(most)) / 100
  const shown = names.filter((name) => most(name) >= least).sort((a, b) => most(b) - most(a))
  return [
    row(['CPU ms each', ...legs.map(([leg]) => leg)]),
    row(['---', ...legs.map(() => '---:')]),
    ...shown.map((name) =>
      row([
        name,
        ...legs.map(([, all]) => (all[0]?.cpu[name] === undefined ? '' : figure(median(all, name)))),
      ]),
    ),
  ]
}

/** When, where and of what: the head of every report. */
export const describeRun = ({ at, commit, machine, minutes, rounds }: Run): string[] => [
  `Measured ${at.slice(0, 10)} at commit ${commit}, in ${figure(minutes)} minutes, on ${machine}.`,
  `${rounds} round${rounds === 1 ? '' : 's'}, in each of which the alternatives took turns. Shown are median [least–most] of the rounds; a ratio is of the same round's figures.`,
]

/** One table of the legs, one of their CPU by process. */
export const renderTables = (result: Pick<Result, 'base' | 'samples'>): string[] => [
  ...mainTable(result),
  '',
  ...cpuTable(result),
]

/** The tables of a run in Markdown: medians and ranges of the rounds; a ratio is that of the same round's two legs. */
export const renderRun = (run: Run, results: readonly Result[]): string =>
  [
    ...describeRun(run),
    'The load generator shares the processors with what it loads, and its CPU is counted too.',
    ...results.flatMap((result) => [
      '',
      `## (${result.letter}) ${result.title}`,
      '',
      `${result.about} ${result.legMs / 1000} s a leg.`,
      '',
      ...renderTables(result),
    ]),
  ].join('\n')

const [begin, end] = ['<!-- npm run bench writes from here -->', '<!-- to here -->']

/** The text with what stands between its two marker comments replaced. Throws when it has not both. */
export const putBetweenMarkers = (text: string, content: string): string => {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`no "${begin}" and "${end}"`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}
