import { AppError } from '@caravan/service-kit/errors'

/** What an account has open. */
export interface Standing {
  readonly isClosed: boolean
  readonly unpaidOrders: number
  /** Of stock, by those orders. */
  readonly heldUnits: number
  /** Whether it has an order, unpaid or paid; one that was cancelled is none. */
  readonly hasOrdered: boolean
}

/** Of an account at a time; a single order may hold more units than that. */
export interface Bounds {
  readonly unpaidOrders: number
  readonly heldUnits: number
}

export const tooManyUnpaid = 'orders/too-many-unpaid'

/**
 * Throws unless an account may place an order of so many units: 401 when it is closed, as everywhere; 409 when it holds as much
 * as it may. That passes with a payment, so a repeat is judged anew.
 */
export const assertMayPlace = (standing: Standing, units: number, bounds: Bounds): void => {
  const { isClosed, unpaidOrders, heldUnits } = standing
  if (isClosed) throw new AppError('unauthenticated', 'auth/session-ended', 'Sign in again')
  if (unpaidOrders < bounds.unpaidOrders && (unpaidOrders === 0 || heldUnits + units <= bounds.heldUnits))
    return
  throw new AppError('conflict', tooManyUnpaid, 'Pay or cancel an order first', {
    data: { unpaidOrders, heldUnits },
    retryAfterSeconds: 60,
  })
}
