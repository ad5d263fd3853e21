import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { mint, stack } from '../support/stack.ts'

/** Sends these bytes, each character one, and gives the answer's status; 0 for a connection that was closed without one. */
const send = async (head: string, body = ''): Promise<{ status: number; text: string }> => {
  const { hostname, port } = new URL(stack.url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')))
  socket.write(Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'))
  let text = ''
  socket.on('data', (chunk) => (text += chunk))
  await once(socket, 'close')
  // The last: a 100 may come before.
  const status = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].at(-1)?.[1]
  return { status: Number(status ?? 0), text }
}

const token = mint.member().token
const long = (bytes: number) => 'a'.repeat(bytes)
let searches = 0

/** One of each way to an app: read for all, in a name, with a body. */
const targets = {
  'a read for everyone': () => {
    searches += 1
    return { line: 'GET', path: '/v1/search', query: `q=faulty${searches}`, headers: '', body: '' }
  },
  'a read in a name': () => ({
    ...{ line: 'GET', path: '/v1/orders', query: 'limit=1', body: '' },
    headers: `authorization: Bearer ${token}\r\n`,
  }),
  'a write': () => ({
    ...{
      line: 'POST',
      path: '/v1/accounts',
      query: '',
      body: '{"email":"no address"}',
    },
    headers: 'content-type: application/json\r\n',
  }),
}

const headers: Record<string, string> = {
  'bytes that are not UTF-8 in User-Agent': 'user-agent: Caf\xe9/1.0',
  'UTF-8 in User-Agent': 'user-agent: Caf\xc3\xa9/1.0',
  'control characters in User-Agent': 'user-agent: a\tb',
  'an empty User-Agent': 'user-agent:',
  'two User-Agents': 'user-agent: a\r\nuser-agent: \xff',
  'bytes in Accept': 'accept: \xff/\xff',
  'bytes in Accept-Language': 'accept-language: \x80, \xe9;q=\xff',
  'a long Accept-Language': `accept-language: ${'en-US;q=0.1, '.repeat(500)}`,
  'bytes in If-None-Match': 'if-none-match: "\xe9"',
  'no tag in If-None-Match': 'if-none-match: ,,"',
  'bytes in Idempotency-Key':
    'idempotency-key: \xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9',
  'bytes in Content-Type': 'content-type: \xff',
  'no type in Content-Type': 'content-type: ;;;=,',
  'bytes in Authorization': 'authorization: Bearer \xe9.\xe9.\xe9',
  'a long Authorization': `authorization: Bearer ${long(4000)}.${long(4000)}.${long(4000)}`,
  'bytes in Cookie': 'cookie: __Host-refresh=\xe9; \xff=\xff',
  'a long Cookie': `cookie: a=${long(12_000)}`,
  'bytes in X-Forwarded-For': 'x-forwarded-for: \xe9, 1.2.3.4\xff',
  'bytes in X-Request-Id': 'x-request-id: \xe9',
  'no trace in Traceparent': 'traceparent: garbage\xff',
  'a trace of zeros': `traceparent: 00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
  'bytes in Tracestate and Baggage': 'tracestate: \xe9=\xe9\r\nbaggage: \xe9=\xe9',
  'headers of the sidecar’s own': 'dapr-app-id: identity\r\ndapr-api-token: x\r\ndapr-caller-app-id: orders',
  'an upgrade': 'upgrade: h2c\r\nhttp2-settings: \xff',
  'Expect: 100-continue': 'expect: 100-continue',
  'another Expect': 'expect: the-unexpected',
  'a range': 'range: bytes=5-1',
  'a content coding': 'content-encoding: gzip\r\naccept-encoding: \xff',
  'no length that a number is': 'content-length: 1e3',
  'a coding that nobody knows': 'transfer-encoding: gzip, chunked',
  'another host': 'host: \xe9',
  'a method in a header': 'x-http-method-override: DELETE',
  '4 KB of User-Agent': `user-agent: ${long(4000)}`,
  '8 KB of User-Agent': `user-agent: ${long(8100)}`,
  '14 KB of User-Agent': `user-agent: ${long(14_000)}`,
  '20 KB of User-Agent': `user-agent: ${long(20_000)}`,
  '200 headers': 'a: 1\r\n'.repeat(200).trimEnd(),
}

const queries: Record<string, string> = {
  'a broken escape': 'a=%',
  'an escape that is none': 'a=%zz',
  'an escape that is not UTF-8': 'a=%ff%fe',
  'escapes of what divides a URL': 'a=%25%3F%23%2F%26%3D',
  'NUL and line ends': 'a=%00%0d%0a',
  'bytes that are not UTF-8': 'a=\xe9',
  'bytes that are UTF-8': 'a=\xe7\x9b\x96\xe7\xa2\x97',
  'a fragment': 'a=1#b',
  'only dividers': '&&==&;;',
  'quotes, brackets and braces': 'a="<>{}|\\^`[]',
  'two thousand parameters': Array.from({ length: 1900 }, () => 'a=1').join('&'),
  '7 KB': `a=${long(7000)}`,
  '7 KB that grow when they are encoded': `a=${'"'.repeat(7000)}`,
  '9 KB': `a=${long(9000)}`,
}

const paths: Record<string, string> = {
  '%25 in a segment': '/v1/products/%25',
  '%3F in a segment': '/v1/products/%3Fa',
  '%23 in a segment': '/v1/products/%23',
  '%2F in a segment': '/v1/products/a%2Fb',
  'a broken escape': '/v1/products/%',
  'an escape that is not UTF-8': '/v1/products/%ff',
  'bytes that are not UTF-8': '/v1/products/\xe9',
  dots: '/v1/products/../../v1.0/metadata',
  'escaped dots': '/v1/products/%2e%2e',
  'double slashes': '//v1//products',
  'a slash at the end': '/v1/products/',
  'a colon': '/v1/products/a:b',
  'an address instead': 'http://elsewhere.example/v1/products',
  'a star': '*',
  'a picture that is not there': '/pictures/none.svg',
  'a long segment': `/v1/products/${long(3000)}`,
}

const methods = [
  'HEAD',
  'OPTIONS',
  'PATCH',
  'DELETE',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'M-SEARCH',
  'BREW',
  'get',
]

const isFault = (status: number): boolean => status >= 200 && status < 500

const held = (what: string, { status, text }: { status: number; text: string }): void =>
  // Node hangs up on a CONNECT.
  assert.ok(isFault(status) || (status === 0 && what.startsWith('CONNECT')), `${what}: ${text.slice(0, 600)}`)

for (const [target, make] of Object.entries(targets)) {
  test(`a faulty request is never told as an outage: ${target}`, async () => {
    const ask = (changes: { line?: string; path?: string; query?: string; header?: string }) => {
      const { line, path, query, headers: own, body } = { ...make(), ...changes }
      const url = query ? `${path}?${query}` : path
      const length =
        body === '' || /^content-length|^transfer/i.test(changes.header ?? '')
          ? ''
          : `content-length: ${body.length}\r\n`
      const host = changes.header?.startsWith('host') ? '' : 'host: a\r\n'
      // The first of a header that may come once is what counts.
      const head = `${changes.header ? `${changes.header}\r\n` : ''}${own}${length}${host}connection: close`
      return send(`${line} ${url} HTTP/1.1\r\n${head}`, body)
    }
    held('as it should be', await ask({}))
    for (const [what, header] of Object.entries(headers)) held(what, await ask({ header }))
    const { query: good } = make()
    for (const [what, query] of Object.entries(queries))
      held(`a query with ${what}`, await ask({ query: good ? `${good}&${query}` : query }))
    for (const [what, path] of Object.entries(paths))
      held(`a path with ${what}`, await ask({ path, query: '' }))
    for (const line of methods) held(line, await ask({ line }))
  })
}

test('a User-Agent of any bytes is served, a header that decides something is 400, too much of them 431', async () => {
  const get = (header: string) =>
    send(`GET /v1/categories?${header.length} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${header}`)
  const mine = (header: string) => get(`authorization: Bearer ${token}\r\n${header}`)
  const of = (header: string) =>
    send(
      `GET /v1/orders HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n${header}`,
    )
  assert.equal((await of('user-agent: Caf\xe9/1.0')).status, 200)
  assert.equal((await of('if-none-match: "\xe9"')).status, 200)
  assert.equal((await of('idempotency-key: \xe9')).status, 400)
  assert.equal((await of(`user-agent: ${long(8100)}`)).status, 431)
  assert.equal((await of(`user-agent: ${long(4000)}`)).status, 200)
  assert.equal((await mine('user-agent: \xe9')).status, 200)
})
