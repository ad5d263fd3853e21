import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getDocumentProxy } from 'unpdf'
import { invoice, lineOf, samples, vat } from './fixture.ts'
import type { Invoice } from './invoice.ts'
import { pdfOf } from './pdf.ts'

type Node = { role?: string; type?: string; children?: Node[] }

/** What another library, PDF.js, reads: the texts of each page in their order, the structure, what the document says of itself. */
const readBack = async (some: Invoice) => {
  const bytes = await pdfOf(some)
  const document = await getDocumentProxy(new Uint8Array(bytes))
  const pages = []
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number)
    const { items, lang } = await page.getTextContent()
    const tree = (await page.getStructTree()) as unknown as Node
    pages.push({ text: items.map((item) => ('str' in item ? item.str : '')).join(''), lang, tree })
  }
  const { info } = await document.getMetadata()
  return {
    bytes,
    pages,
    info: info as Record<string, unknown>,
    text: pages.map(({ text }) => text).join('\n'),
  }
}
/** Of what has content on the page; PDF.js tells a table whole on each of its pages. */
const hasContent = ({ type, children = [] }: Node): boolean => type === 'content' || children.some(hasContent)
const rolesOf = (node: Node): string[] =>
  node.role && hasContent(node) ? [node.role, ...(node.children ?? []).flatMap(rolesOf)] : []

const named = (name: string, city = 'Łódź'): Invoice => ({
  ...invoice,
  buyer: { ...invoice.buyer, name, city },
})

for (const name of [
  'Zażółć Gęślą Jaźń',
  'ZAŻÓŁĆ GĘŚLĄ JAŹŃ',
  '王小明',
  '欧阳娜娜 · 龍應臺',
  '林妢嬣',
  'Ελένη Пётр Đặng Ñoño',
  '陈 Łukasz 明',
])
  test(`the name ${name} is read back as it was written`, async () => {
    const { text } = await readBack(named(name))
    assert.ok(text.includes(name) && text.includes('90-001 Łódź'), text)
    assert.ok(!text.includes('〓'))
  })

test('letters with accents of their own are those that have them', async () => {
  const { text } = await readBack(named('Zażółć'.normalize('NFD')))
  assert.ok(text.includes('Zażółć'.normalize('NFC')), text)
})

test('what no face has is marked as missing, and all else around it stands', async () => {
  const { text } = await readBack(named('A 𠮷 B', '東京'))
  assert.ok(text.includes('A 〓 B') && text.includes('東京'), text)
})

test('it says all that was frozen, in the reader’s language', async () => {
  const english = (await readBack(samples['mixed-rate'] as Invoice)).text
  const said = [
    'Invoice 2026-000017',
    'November 28, 2026',
    'CV-7K3M-92QF',
    'PL5260250274',
    'China',
    'Unit price (with',
  ]
  for (const what of [...said, '9.99', '23%', 'VAT 5 %', '144.40', 'Paid: 144.40 EUR', 'page 1 of 1'])
    assert.ok(english.includes(what), `${what} in ${english}`)
  const chinese = (await readBack({ ...(samples.refunded as Invoice), language: 'zh' })).text
  for (const what of [
    '贷项通知单 C-2026-000003',
    '2026年12月3日',
    '2026-000017 (2026年11月28日)',
    '中国',
    '已退: 94.47 EUR',
    '第 1 页，共 1 页',
  ])
    assert.ok(chinese.includes(what), `${what} in ${chinese}`)
})

test('discounts stand at what they are off, amounts have the decimals of their currency', async () => {
  const { text } = await readBack(samples.discounted as Invoice)
  for (const what of ['Tea week −3.00', 'TEA & <10> −0.27', 'Free delivery −15.00'])
    assert.ok(text.includes(what), what)
  const yen = (await readBack(samples.yen as Invoice)).text
  assert.ok(yen.includes('Paid: 3,853 JPY'), yen)
  const dinars = (await readBack(samples['dinars in tens of fils'] as Invoice)).text
  assert.ok(dinars.includes('Paid: 38.870 KWD'), dinars)
})

test('title, language and structure are set; parts are read in the order in which they stand', async () => {
  const { info, pages, text } = await readBack(invoice)
  assert.equal(info.Title, 'Invoice 2026-000017')
  assert.equal(info.Language, 'en')
  const roles = rolesOf(pages[0]?.tree as Node)
  assert.deepEqual(roles.slice(0, 9).join(), 'Root,Document,H1,P,H2,P,H2,P,Table')
  assert.deepEqual(roles.slice(9, 24).join(), `TR${',TH'.repeat(6)},TR${',TD'.repeat(6)},TR`)
  const order = [
    'Invoice 2026',
    'Issued',
    'Seller',
    'Karawana',
    'Buyer',
    '王小明',
    'Quantity',
    'Gaiwan',
    'Courier',
    'VAT 23',
    'Paid',
  ]
  assert.deepEqual(
    order.map((what) => text.indexOf(what)).toSorted((a, b) => a - b),
    order.map((what) => text.indexOf(what)),
  )
  assert.ok(text.includes(order[0] as string))
})

test('many lines go over pages: each line once, whole, under a head of its columns', async () => {
  const lines = Array.from({ length: 100 }, (_, index) =>
    lineOf('gross', [
      `Gaiwan [${index}] 白瓷盖碗手工制作景德镇高白泥薄胎茶具套装附礼盒 [${index}]`,
      1,
      999,
      vat(23),
    ]),
  )
  const { pages, text, bytes } = await readBack({ ...invoice, lines })
  assert.ok(pages.length > 3)
  for (const [index] of lines.entries()) assert.equal(text.split(`[${index}]`).length, 1 + 2, `line ${index}`)
  for (const [index, page] of pages.slice(0, -1).entries()) {
    assert.ok(page.text.includes('Quantity'), `page ${index + 1}`)
    assert.ok(page.text.includes(`page ${index + 1} of ${pages.length}`))
  }
  assert.equal(pages.flatMap(({ tree }) => rolesOf(tree)).filter((role) => role === 'TH').length, 6 + 4)
  assert.ok(bytes.length < 200_000, `${bytes.length} bytes`)
})

test('an invoice of a few lines is small, and comes out the same each time', async () => {
  const [one, again] = [await pdfOf(invoice), await pdfOf(invoice)]
  assert.ok(one.length < 60_000, `${one.length} bytes`)
  assert.deepEqual(one, again)
})

test('amounts that contradict one another are not shown', async () => {
  const lines = [{ ...lineOf('gross', ['Gaiwan', 3, 999, vat(23)]), tax: 561 }]
  await assert.rejects(pdfOf({ ...invoice, lines }), /net and tax are not gross/)
})
