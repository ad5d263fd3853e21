import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { chargeStep } from '@caravan/contracts/price'
import fc from 'fast-check'
import { quote } from '../../apps/orders/src/domain/quote.ts'
import { takeAmount, wholeOf } from '../../apps/orders/src/domain/refund-shares.ts'
import { anyCase, type Case } from '../../apps/orders/src/domain/testing/any-basket.ts'
import { anInvoice, credit, invoice, samples } from '../../apps/orders/src/invoices/fixture.ts'
import type { Invoice } from '../../apps/orders/src/invoices/invoice.ts'
import { creditNoteOf, invoiceOf } from '../../apps/orders/src/invoices/of-quote.ts'
import { ublOf } from '../../apps/orders/src/invoices/ubl.ts'
import { ublFault } from '../../apps/orders/src/invoices/ubl-fault.ts'
import { cacheFolder } from '../../tools/launcher/go-build.ts'
import { read, root } from '../checks/repository.ts'

const execute = (program: string, args: string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}

/** The engine and the rules that its pom.xml names, from Maven Central, once per machine. Needs Java 17 and Maven. */
const provideRules = (): string => {
  const pom = 'tools/en16931/pom.xml'
  const folder = cacheFolder(`en16931-${createHash('sha256').update(read(pom)).digest('hex').slice(0, 16)}`)
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
    execute('mvn', ['-B', '-q', '-f', pom, copy, `-DoutputDirectory=${unfinished}`])
    renameSync(unfinished, folder)
  }
  return folder
}
const rules = provideRules()
const scratch = mkdtempSync(join(tmpdir(), 'caravan-invoices-'))
after(() => rmSync(scratch, { recursive: true }))

/** What is wrong with each document, by its place in the list. One engine for all: it takes long to start. */
const faultsOf = (documents: readonly string[]): string[][] => {
  const files = documents.map((xml, index) => {
    const file = join(scratch, `${index}.xml`)
    writeFileSync(file, xml)
    return file
  })
  const lines = execute('java', ['-cp', join(rules, '*'), 'tools/en16931/Validate.java', ...files]).trim()
  const faults = new Map(lines.split('\n').map((line) => [line.split('\t')[0], line.split('\t').slice(1)]))
  return files.map((file) => {
    const some = faults.get(file)
    assert.ok(some, `nothing was said of ${file}`)
    return some
  })
}

type Break = [kind: string, right: string | RegExp, wrong: string, rule: string]
/** One thing wrong in a document of each kind, and the rule that it breaks. */
const breaks: Break[] = [
  ['gross', /(<cbc:TaxExclusiveAmount currencyID="EUR">)\d+/, '$199', 'BR-CO-13'],
  ['net', /<cac:PartyTaxScheme>.*?<\/cac:PartyTaxScheme>/s, '', 'BR-S-02'],
  ['discounted', /<cbc:AllowanceTotalAmount.*/, '', 'BR-CO-11'],
  ['discounted, net', /(<cac:TaxSubtotal>\s*<cbc:TaxableAmount currencyID="EUR">)\d+/, '$199', 'BR-S-08'],
  ['free', /<cbc:PriceAmount[^>]*>/, '$&-', 'BR-27'],
  ['zero-rate', /(<cac:TaxSubtotal>\s*<cbc:TaxableAmount currencyID="EUR">)25.00/, '$124.99', 'BR-Z-08'],
  ['exempt', /<cbc:TaxExemptionReason>.*/, '', 'BR-E-10'],
  ['export', /<cbc:TaxExemptionReason.*?<\/cbc:TaxExemptionReason>/s, '', 'BR-G-10'],
  ['outside of VAT', /<cbc:ID>O<\/cbc:ID>/g, '$&<cbc:Percent>0</cbc:Percent>', 'BR-O-05'],
  ['mixed-rate', /<cac:TaxSubtotal>.*?<\/cac:TaxSubtotal>/s, '', 'BR-CO-14'],
  ['mixed-rate, net', '<cbc:Percent>5</cbc:Percent>', '<cbc:Percent>6</cbc:Percent>', 'BR-S-08'],
  ['a rate of three decimals', '"USD">29.97', '"USD">29.970', 'BR-DEC'],
  ['yen', /(<cac:TaxSubtotal>.*?<cbc:TaxAmount currencyID="JPY">)350/s, '$1352', 'BR-CO-17'],
  ['dinars in tens of fils', '<cbc:DocumentCurrencyCode>KWD', '<cbc:DocumentCurrencyCode>KWB', 'BR-CL-04'],
  ['refunded', '<cbc:CreditNoteTypeCode>381', '<cbc:CreditNoteTypeCode>380', 'BR-CL-01'],
  ['refunded in part', '<cbc:IssueDate>2026-12-03', '<cbc:IssueDate>2026-12-32', 'cvc-'],
  ['refunded delivery alone', /<cbc:CreditedQuantity.*/, '', 'BR-22'],
]
const broken = breaks.map(([kind, right, wrong]) => {
  const xml = ublOf(samples[kind] as Invoice)
  const changed = xml.replace(right, wrong)
  assert.notEqual(changed, xml, `nothing was broken in ${kind}`)
  return changed
})

const shuffled = { numRuns: 100, seed: 16_931 }
/** An order's invoice, and the credit note for a third of its money. */
const documentsOf = ({ basket, settings, promotions }: Case): Invoice[] => {
  const { quote: paid } = quote(basket, settings, promotions)
  const step = chargeStep(paid.currency)
  const { part } = takeAmount(wholeOf(paid), Math.ceil(paid.total / 3 / step) * step)
  const { lines: _, delivery: __, number, issuedOn, ...particulars } = invoice
  const note = creditNoteOf(paid, part, { ...particulars, ...credit })
  const documents = [invoiceOf(paid, particulars), ...(paid.total > 0 ? [note] : [])]
  return documents.map((each) => ({ ...each, number, issuedOn }))
}
const ofQuotes = ['USD', 'EUR', 'JPY', 'KWD'].flatMap((currency) =>
  fc.sample(anyCase(currency as 'USD'), shuffled).flatMap(documentsOf),
)
const random = [...fc.sample(anInvoice, shuffled), ...ofQuotes.filter((some) => !ublFault(some))]
const kinds = Object.keys(samples)
const faults = faultsOf([...Object.values(samples), ...random].map(ublOf).concat(broken))

for (const [index, kind] of kinds.entries())
  test(`a document by EN 16931 and UBL 2.1: ${kind}`, () => {
    assert.deepEqual(faults[index], [])
  })

test('so is each at random, by itself or of an order’s quote', () => {
  assert.ok(random.length > 700, `only ${random.length}`)
  assert.deepEqual(faults.slice(kinds.length, kinds.length + random.length).flat(), [])
})

for (const [index, [kind, , , rule]] of breaks.entries())
  test(`${kind}, broken, is refused by ${rule}`, () => {
    const told = faults[kinds.length + random.length + index] ?? []
    assert.ok(
      told.some((fault) => fault.includes(rule)),
      `only ${JSON.stringify(told)}`,
    )
  })

test('each kind was broken once', () => {
  assert.deepEqual(breaks.map(([kind]) => kind).sort(), kinds.sort())
})
