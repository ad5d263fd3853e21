import type { DeadLetter } from '@caravan/contracts/dead-letters'
import { consumers } from '@caravan/contracts/dead-letters'
import { shop } from '../tests/support/stack.ts'

const usage = `npm run dead-letters -- list [app]
npm run dead-letters -- replay <app> <event id | all>
npm run dead-letters -- discard <app> <event id>
apps: ${consumers.join(', ')}`

const [command = 'list', app, id] = process.argv.slice(2)

const ask = async (method: string, path: string) => {
  const answer = await shop.door(method, `/v1/dead-letters/${path}`, { token: await shop.asOperator() })
  if (answer.status >= 300) throw new Error(`${answer.body?.code}: ${answer.body?.detail}`)
  return answer.body
}

const lettersOf = async (name: string): Promise<DeadLetter[]> => (await ask('GET', name)).data

const list = async (apps: readonly string[]): Promise<void> => {
  for (const name of apps) {
    const letters = await lettersOf(name)
    console.log(`${name}: ${letters.length === 0 ? 'none' : letters.length}`)
    for (const letter of letters) console.log(`  ${letter.id}  ${letter.topic}  kept ${letter.keptAt}`)
  }
}

/** The name of a letter, which is its event's id where that can be one. */
const nameOf = async (app: string, given: string): Promise<string> => {
  const letters = await lettersOf(app)
  const isOf = ({ event }: DeadLetter & { event?: unknown }) =>
    (event as { id?: string } | undefined)?.id === given
  return letters.some(({ id }) => id === given) ? given : (letters.find(isOf)?.id ?? given)
}

const replay = async (name: string, which: string): Promise<void> => {
  const ids =
    which === 'all' ? (await lettersOf(name)).map((letter) => letter.id) : [await nameOf(name, which)]
  for (const each of ids) {
    await ask('POST', `${name}/${encodeURIComponent(each)}/replay`)
    console.log(`${name}: ${each} handled`)
  }
}

try {
  if (command === 'list') await list(app ? [app] : consumers)
  else if (command === 'replay' && app && id) await replay(app, id)
  else if (command === 'discard' && app && id) {
    await ask('DELETE', `${app}/${encodeURIComponent(await nameOf(app, id))}`)
    console.log(`${app}: ${id} discarded`)
  } else {
    console.error(usage)
    process.exitCode = 2
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
