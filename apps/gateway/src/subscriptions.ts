import { type Product, productChanged } from '@caravan/contracts/catalog'
import { parseJson } from '@caravan/service-kit/body'
import { type Subscription, subscription } from '@caravan/service-kit/subscription'
import type { Answer } from './answer.ts'
import type { ReadCache } from './read-cache.ts'

const versionOf = ({ status, body }: Answer): number =>
  status === 200 ? (parseJson(body) as Product).version : 0

/** Every replica hears each event, so the component is `broadcast`; a repeat or an old event outdates nothing wrongly. */
export const subscriptions = (cache: ReadCache): Subscription[] => [
  subscription(
    productChanged,
    async ({ id, version, status }) => {
      const page = `/v1/products/${id}`
      cache.outdate(page, (known) => versionOf(known) < version)
      // What is off the shelf is not shown again, not even while the catalog is down.
      if (status === 'off-shelf') cache.remove(page)
      cache.outdateLists()
    },
    { pubsub: 'broadcast' },
  ),
]
