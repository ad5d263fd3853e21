import { readList, readPage } from './browse.ts'
import { as, buy, chooseLines, place } from './checkout.ts'
import { changePrice, deliver, mixOf } from './marketplace.ts'
import type { Visit } from './visit.ts'
import type { Scenario, World } from './world.ts'

const leaveUnpaid = async (world: World, visit: Visit): Promise<void> => {
  const account = world.borrowAccount()
  await place(world, visit, account, chooseLines(world, visit, 1))
  world.returnAccount(account)
}

const changeMind = async (world: World, visit: Visit): Promise<void> => {
  const account = world.borrowAccount()
  const { id } = await place(world, visit, account, chooseLines(world, visit, 1 + visit.random.below(2)))
  await visit.ask('cancel', { method: 'POST', path: `/v1/orders/${id}/cancellation`, headers: as(account) })
  world.clientLog?.write({ what: 'cancellation-answered', order: id })
  world.returnAccount(account)
}

/** What a shop's day is made of, for hours: mostly pages, some orders, of which a few are cancelled or never paid. */
export const mixed: Scenario = mixOf([
  ['page', 70, readPage],
  ['list', 4, readList],
  ['checkout', 20, (world, visit) => buy(world, visit, 1 + visit.random.below(3))],
  ['cancellation', 2, changeMind],
  ['unpaid order', 1, leaveUnpaid],
  ['price update', 2, changePrice],
  ['delivery', 1, deliver],
])
