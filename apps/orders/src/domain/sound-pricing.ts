import { chargeStep } from '@caravan/contracts/price'
import type { DeliveryMethod, Market, PricingContent, TaxZone } from '@caravan/contracts/pricing'

interface Fault {
  /** JSON Pointer (RFC 6901). */
  readonly pointer: string
  readonly detail: string
}

const repeated = <T>(values: readonly T[]): number[] =>
  values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []))

const ofMethod = (
  { brackets, workingDays, freeFrom }: DeliveryMethod,
  { currency }: Market,
  at: string,
): Fault[] => {
  const step = chargeStep(currency)
  const uneven = (amount: number | undefined, pointer: string): Fault[] =>
    amount !== undefined && amount % step !== 0
      ? [{ pointer, detail: `of ${currency} the last decimal is 0` }]
      : []
  return [
    ...brackets.flatMap(({ price }, n) => uneven(price, `${at}/brackets/${n}/price`)),
    ...repeated(brackets.map(({ upTo }) => upTo)).map((n) => ({
      pointer: `${at}/brackets/${n}/upTo`,
      detail: 'there is a bracket up to it before',
    })),
    ...uneven(freeFrom, `${at}/freeFrom`),
    ...(workingDays.least > workingDays.most
      ? [{ pointer: `${at}/workingDays/most`, detail: 'less than the least' }]
      : []),
  ]
}

const ofMarket = (market: Market, at: string): Fault[] =>
  market.deliveryZones.flatMap(({ methods }, zone) => [
    ...repeated(methods.map(({ id }) => id)).map((n) => ({
      pointer: `${at}/deliveryZones/${zone}/methods/${n}/id`,
      detail: 'another method of the zone has it',
    })),
    ...methods.flatMap((method, n) => ofMethod(method, market, `${at}/deliveryZones/${zone}/methods/${n}`)),
  ])

const ofTaxZone = ({ rates }: TaxZone, at: string): Fault[] => {
  const classes = rates.map(({ taxClass }) => taxClass)
  return [
    ...(classes.includes('standard')
      ? []
      : [{ pointer: `${at}/rates`, detail: 'without a rate of the class standard' }]),
    ...repeated(classes).map((n) => ({
      pointer: `${at}/rates/${n}/taxClass`,
      detail: 'the zone has a rate for it before',
    })),
  ]
}

/** What of some settings contradicts itself, or could not be reckoned with. */
export const faultsOf = ({ markets, taxZones }: PricingContent): Fault[] => [
  ...markets.flatMap((market, n) => ofMarket(market, `/markets/${n}`)),
  ...taxZones.flatMap((zone, n) => ofTaxZone(zone, `/taxZones/${n}`)),
]
