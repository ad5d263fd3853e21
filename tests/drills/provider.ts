import { openDoor } from '../support/door.ts'
import type { Drill } from './field.ts'

/** What the provider does to whoever charges or refunds meanwhile, in its own words (apps/psp-sandbox). */
const moods: Record<string, object> = {
  late: { delayMs: 3000 },
  'later than the shop waits': { delayMs: 8000 },
  'fails at first': { failFirst: 2 },
  'timeout, then success': { timeoutThenSuccess: true, hangMs: 15_000 },
  'timeout, then success, and no webhook': {
    timeoutThenSuccess: true,
    hangMs: 15_000,
    webhook: { drop: true },
  },
  'webhooks twice': { webhook: { copies: 2 } },
  'webhooks late, three times, out of order': { webhook: { copies: 3, shuffle: true, delayMs: 2000 } },
  'no webhooks': { webhook: { drop: true } },
  'late, fails at first, webhooks out of order': {
    ...{ delayMs: 2000, failFirst: 1 },
    webhook: { copies: 3, shuffle: true, delayMs: 500 },
  },
}

export const provider: Drill = {
  name: 'provider',
  what: 'the card provider answers late, twice, out of order, fails at first, times out and then succeeds, tells nothing',
  /** Of each mood. */
  rounds: 1,
  seconds: 6,
  run: async ({ stack, rounds, holdMs, hold, recovered }) => {
    const door = openDoor(stack.pspUrl)
    const authorization = String(stack.secrets['psp-authorization'])
    const turn = async (knobs: object) => {
      const answer = await door('PUT', '/sandbox/knobs', { headers: { authorization }, body: knobs })
      if (answer.status !== 200) throw new Error(answer.text)
    }
    for (let round = 0; round < rounds; round++)
      for (const [mood, knobs] of Object.entries(moods)) {
        await hold(
          mood,
          holdMs,
          () => turn(knobs),
          () => turn({}),
        )
        await recovered()
      }
    return undefined
  },
}
