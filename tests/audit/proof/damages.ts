import { ofEvents } from './event-damages.ts'
import { ofFulfilment } from './fulfilment-damages.ts'
import { ofInvoices } from './invoice-damages.ts'
import { ofMoney } from './money-damages.ts'
import { ofOrders } from './order-damages.ts'
import { ofCatalogPages } from './page-damages.ts'
import { ofPromises } from './promise-damages.ts'
import { ofPromotions } from './promotion-damages.ts'
import type { Story } from './sample-story.ts'
import { ofSearch } from './search-damages.ts'
import type { Case, Spoil } from './spoil.ts'
import { ofStock } from './stock-damages.ts'

export const damages = (story: Story, spoil: Spoil): Case[] =>
  [
    ofCatalogPages,
    ofStock,
    ofMoney,
    ofOrders,
    ofFulfilment,
    ofInvoices,
    ofPromotions,
    ofSearch,
    ofEvents,
    ofPromises,
  ].flatMap((cases) => cases(story, spoil))
