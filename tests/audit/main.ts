import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { attachStack } from '../../tools/launcher/attached-stack.ts'
import { audit, CouldNotRead, type Finding } from './audit.ts'

// npm run audit -- [--profile shop] [--client-log FILE]... [--settle SECONDS] [--json]
// Exit 1 on any violation, 2 when something could not be read.

const printTable = (findings: readonly Finding[], withClients: boolean): void => {
  const width = Math.max(5, ...findings.map(({ check }) => check.length))
  const row = (invariant: string, check: string, checked: unknown, found: unknown) =>
    console.log(
      `${invariant.padEnd(4)}${check.padEnd(width)}${String(checked).padStart(10)}${String(found).padStart(12)}`,
    )
  row('', 'check', 'checked', 'violations')
  for (const { invariant, check, checked, found } of findings) row(invariant, check, checked, found)
  for (const { invariant, check, found, violations } of findings.filter((each) => each.found > 0)) {
    console.log(`\n${invariant} ${check}`)
    for (const what of violations) console.log(`  ${what}`)
    if (found > violations.length) console.log(`  and ${found - violations.length} more`)
  }
  if (!withClients)
    console.log('\nWithout --client-log: nothing of what clients were promised (I3, I4, I8) was checked.')
}

const options = {
  profile: { type: 'string', default: process.env.STACK_PROFILE ?? 'shop' },
  'client-log': { type: 'string', multiple: true, default: [] as string[] },
  settle: { type: 'string', default: '60' },
  json: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig

const main = async (): Promise<number> => {
  const { profile, 'client-log': clientLog, settle, json } = parseArgs({ options }).values
  const settleSeconds = Number(settle)
  if (!(settleSeconds >= 0)) throw new Error(`--settle takes seconds, not "${settle}"`)
  const print = (findings: readonly Finding[]) =>
    json ? console.log(JSON.stringify(findings, null, 2)) : printTable(findings, clientLog.length > 0)
  try {
    const findings = await audit({
      stack: attachStack(profile),
      clientLog,
      settleSeconds,
      log: console.error,
    })
    print(findings)
    return findings.some(({ found }) => found > 0) ? 1 : 0
  } catch (error) {
    if (error instanceof CouldNotRead && error.findings.length > 0) print(error.findings)
    throw error
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`could not audit: ${(error as Error).message}`)
  process.exitCode = 2
}
