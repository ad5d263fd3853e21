import type { Promotion } from '@caravan/contracts/promotions'
import { AppError } from '@caravan/service-kit/errors'
import { Temporal } from 'temporal-polyfill'

export type Ends = Pick<Promotion, 'from' | 'until'>

/**
 * The two ends of a window in UTC, by the time zone database of this moment. A local time that comes twice is the first, one that clocks
 * skip is as much later as they skip: RFC 5545, 3.3.5. Throws 422 for a window in which there is no time.
 */
export const resolveWindow = ({ timeZone, from, until }: Promotion['window']): Ends => {
  const at = (local: string): string => {
    const { epochMilliseconds } = Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone, {
      disambiguation: 'compatible',
    })
    return new Date(epochMilliseconds).toISOString()
  }
  const ends = { ...(from ? { from: at(from) } : {}), ...(until ? { until: at(until) } : {}) }
  if (ends.from !== undefined && ends.until !== undefined && ends.from >= ends.until)
    throw new AppError('invalid', 'promotions/empty-window', 'There is no time in this window', {
      errors: [{ pointer: '/window/until', detail: 'not later than from' }],
    })
  return ends
}
