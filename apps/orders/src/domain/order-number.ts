import { createHash } from 'node:crypto'
import { numberLetters } from '@caravan/contracts/order-number'

const base = BigInt(numberLetters.length)
const digits = 8

/**
 * A number of an order, by its id alone: one of 55 thousand million, and those of two orders have nothing to do with one another. With
 * other attempts it is another one, where the first ones are taken.
 */
export const orderNumberOf = (orderId: string, attempt = 0): string => {
  let rest = createHash('sha256').update(`${orderId} ${attempt}`).digest().readBigUInt64BE()
  let text = ''
  for (let digit = 0; digit < digits; digit += 1) {
    text += numberLetters[Number(rest % base)]
    rest /= base
  }
  return `CV-${text.slice(0, 4)}-${text.slice(4)}`
}
