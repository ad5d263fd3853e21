import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { publicUrl } from './public-url.ts'

const passes = (text: string) => publicUrl.safeParse(text).success

test('an https address of a public host passes', () => {
  for (const good of [
    'https://shop.example',
    'https://a.b.shop.example/hook?x=1#y',
    'https://shop.example:443/',
    'https://xn--bcher-kva.example/',
    'https://1and1.example/',
    'https://shop.xn--p1ai/',
  ])
    assert.ok(passes(good), good)
})

const refused: Record<string, readonly string[]> = {
  'another scheme': [
    ...[
      'http://shop.example/',
      'ftp://shop.example/',
      'file:///etc/passwd',
      'gopher://shop.example/',
      'javascript:alert(1)',
    ],
    ...[
      '//shop.example/',
      'https:shop.example',
      'https:/shop.example',
      'HTTPS://shop.example',
      'data:text/plain,x',
    ],
  ],
  'an IPv4 address': [
    ...[
      'https://127.0.0.1/',
      'https://169.254.169.254/latest/meta-data',
      'https://10.0.0.1/',
      'https://8.8.8.8/',
    ],
    ...[
      'https://2130706433/',
      'https://017700000001/',
      'https://0x7f000001/',
      'https://0x7f.1/',
      'https://127.1/',
    ],
    ...[
      'https://0177.0.0.1/',
      'https://127.0.0.1./',
      'https://127%2e0.0.1/',
      'https://0/',
      'https://1.2.3/',
      'https://1.2.3.0x4/',
    ],
  ],
  'an IPv6 address': [
    ...[
      'https://[::1]/',
      'https://[::]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://[fe80::1]/',
    ],
    ...['https://[fd00::1]/', 'https://[64:ff9b::7f00:1]/', 'https://[2001:4860:4860::8888]/'],
  ],
  'a name of this machine or network': [
    ...[
      'https://localhost/',
      'https://localhost./',
      'https://LOCALHOST/',
      'https://a.localhost/',
      'https://shop/',
    ],
    ...[
      'https://printer.local/',
      'https://vault.internal/',
      'https://metadata.google.internal/',
      'https://nas.lan/',
    ],
    ...[
      'https://orders.shop.svc/',
      'https://orders.default.svc.cluster.local/',
      'https://router.home.arpa/',
      'https://x.onion/',
    ],
  ],
  'a trailing or an empty label': [
    'https://shop.example./',
    'https://shop..example/',
    'https://./',
    'https://.example/',
  ],
  'a user': [
    'https://a@shop.example/',
    'https://a:b@shop.example/',
    'https://@shop.example/',
    'https://shop.example@127.0.0.1/',
  ],
  'another port': ['https://shop.example:3500/', 'https://shop.example:80/', 'https://shop.example:6379/'],
  'a trick of the text': [
    ...[
      'https://shop.example\\@127.0.0.1/',
      'https:\\\\127.0.0.1/',
      'https://shop.example\\a',
      ' https://shop.example/',
      'https://shop.example/\n',
    ],
    ...[
      'https://sho\tp.example/',
      'https://①②⑦.⓪.⓪.①/',
      'https://ⓛocalhost/',
      'https://127。0。0。1/',
      'https://bücher.example/',
      'https://shop.example/\u0000',
    ],
    ...['', 'https://', 'https:///', 'https://?', `https://shop.example/${'a'.repeat(2048)}`],
  ],
}

for (const [what, texts] of Object.entries(refused))
  test(`${what} is refused`, () => {
    for (const text of texts) assert.ok(!passes(text), text)
  })

test('no spelling of an IPv4 address passes', () => {
  const part = (value: number) =>
    fc.constantFrom(String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`)
  const byte = fc.integer({ min: 0, max: 255 })
  const whole = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  fc.assert(
    fc.property(
      byte.chain(part),
      byte.chain(part),
      byte.chain(part),
      byte.chain(part),
      (...parts) => !passes(`https://${parts.join('.')}/`),
    ),
  )
  fc.assert(fc.property(whole.chain(part), (address) => !passes(`https://${address}/`)))
})

test('whatever passes names a host with a dot and no number for its last label, on port 443, without a user', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl({ validSchemes: ['https'], withFragments: true }),
        fc.string().map((text) => `https://${text}`),
      ),
      (text) => {
        if (!passes(text)) return
        const { hostname, port, username } = new URL(text)
        assert.match(hostname, /\.(?:[a-z]{2,}|xn--[a-z0-9-]+)$/)
        assert.deepEqual([port, username], ['', ''])
      },
    ),
  )
})
