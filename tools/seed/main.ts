import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readStack, trustDoor } from '../launcher/stack-file.ts'

// Fills a running shop with sample data through its public door, as an operator would. A second run changes nothing.

type Json = Record<string, unknown>
type Category = Json & { slug: string; parent: string | null }
type Variant = Json & { sku: string; stock: number }
type Product = Json & { id: string; title: { en?: string; zh?: string }; variants: Variant[] }

interface Target {
  readonly url: string
  readonly operator: { readonly email: string; readonly password: string }
  readonly shopper: { readonly email: string; readonly password: string } | undefined
}

const parallel = 16
const searchableWithinMs = 15_000
const shopperEmail = 'shopper@caravan.example'

/** The shop of CARAVAN_URL, or else the one that the launcher runs under STACK_PROFILE. */
const findTarget = (env: NodeJS.ProcessEnv): Target => {
  if (env.CARAVAN_URL) {
    const { CARAVAN_URL: url, OPERATOR_EMAIL: email, OPERATOR_PASSWORD: password, SHOPPER_PASSWORD } = env
    if (!email || !password) throw new Error('CARAVAN_URL needs OPERATOR_EMAIL and OPERATOR_PASSWORD')
    const shopper = SHOPPER_PASSWORD ? { email: shopperEmail, password: SHOPPER_PASSWORD } : undefined
    return { url, operator: { email, password }, shopper }
  }
  const profile = env.STACK_PROFILE ?? 'shop'
  const stack = readStack(profile)
  if (!stack) throw new Error(`no shop runs under the profile ${profile}: npm start`)
  trustDoor(stack)
  const secrets = JSON.parse(readFileSync(stack.secretsFile, 'utf8')) as Record<string, string>
  const account = (who: string) => ({
    email: String(secrets[`${who}-email`]),
    password: String(secrets[`${who}-password`]),
  })
  return { url: stack.url, operator: account('operator'), shopper: account('shopper') }
}

const data = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8')) as T

/** Runs `work` for each item, a few at a time, in order of begin. The first failure ends it. */
const forEach = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> => {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}

/** A UUID that is the same each time (version 8, RFC 9562, 5.8), so that an adjustment counts once however often it is sent. */
const fixedId = (name: string): string => {
  const hex = createHash('sha256').update(`caravan seed ${name}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A client of the shop. Waits and asks again on 429 and 503; throws on what is neither success nor allowed. */
const createClient = (url: string, token?: string) => {
  const send = async (method: string, path: string, body?: Json, allowed: readonly number[] = []) => {
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: body ? JSON.stringify(body) : null,
      })
      const text = await response.text()
      if (response.ok || allowed.includes(response.status)) return JSON.parse(text || '{}') as Json
      if (![429, 503].includes(response.status) || attempt === 30)
        throw new Error(`${method} ${path}: ${response.status} ${text}`)
      await sleep(Number(response.headers.get('retry-after')) * 1000 || 200 * attempt)
    }
  }
  return {
    get: (path: string) => send('GET', path),
    put: (path: string, body: Json) => send('PUT', path, body),
    post: (path: string, body: Json, allowed?: readonly number[]) => send('POST', path, body, allowed),
  }
}

/** Parents before their children. */
const levels = (categories: readonly Category[]): Category[][] => {
  const level: Category[][] = []
  for (let above: (string | null)[] = [null]; above.length > 0; ) {
    const next = categories.filter(({ parent }) => above.includes(parent))
    if (next.length > 0) level.push(next)
    above = next.map(({ slug }) => slug)
  }
  return level
}

const untilSearchable = async (client: ReturnType<typeof createClient>, product: Product): Promise<void> => {
  const end = Date.now() + searchableWithinMs
  const title = product.title.en ?? product.title.zh ?? ''
  const query = new URLSearchParams({ q: title, limit: '100' })
  for (;;) {
    const page = (await client.get(`/v1/search?${query}`)) as { data: { id: string }[] }
    if (page.data.some(({ id }) => id === product.id)) return
    if (Date.now() > end) throw new Error(`search does not find ${title}`)
    await sleep(50)
  }
}

const seed = async ({ url, operator, shopper }: Target): Promise<string> => {
  const start = performance.now()
  const guest = createClient(url)
  const { accessToken } = await guest.post('/v1/sessions', operator)
  const client = createClient(url, String(accessToken))

  const sellers = data<(Json & { id: string })[]>('sellers')
  const categories = data<Category[]>('categories')
  const products = data<Product[]>('products')
  const variants = products.flatMap((product) => product.variants)
  const stocked = variants.filter(({ stock }) => stock > 0)

  if (shopper) await guest.post('/v1/accounts', { ...shopper, name: 'Sample Shopper' }, [409])
  await forEach(sellers, ({ id, ...seller }) => client.put(`/v1/sellers/${id}`, seller))
  for (const level of levels(categories)) {
    await forEach(level, ({ slug, parent, name }) => client.put(`/v1/categories/${slug}`, { parent, name }))
  }
  await forEach(products, ({ id, ...product }) =>
    client.put(`/v1/products/${id}`, {
      ...product,
      status: 'on-shelf',
      variants: product.variants.map(({ stock: _, ...variant }) => variant),
    }),
  )
  await forEach(stocked, ({ sku, stock }) =>
    client.put(`/v1/stock/${sku}/adjustments/${fixedId(sku)}`, { delta: stock, reason: 'Sample stock' }),
  )
  await forEach(products, (product) => untilSearchable(guest, product))

  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  return (
    `seeded ${sellers.length} sellers, ${categories.length} categories, ${products.length} products, ` +
    `${variants.length} SKUs (${stocked.length} in stock) in ${seconds} s`
  )
}

try {
  console.log(await seed(findTarget(process.env)))
} catch (error) {
  console.error(`seeding failed: ${(error as Error).message}`)
  process.exitCode = 1
}
