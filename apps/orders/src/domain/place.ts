import type { Place } from '@caravan/contracts/pricing'

/** As far as it matters for taxes and delivery. */
export interface Destination {
  readonly country: string
  readonly region?: string | undefined
  readonly postalCode?: string | undefined
}

const plain = (text: string): string => text.trim().toLowerCase()
const compact = (code: string): string => code.toUpperCase().replace(/[\s-]/g, '')

const fits = (pattern: string, code: string): boolean =>
  pattern.endsWith('*') ? code.startsWith(pattern.slice(0, -1)) : code === pattern

const holds = ({ country, regions, postalCodes }: Place, to: Destination): boolean =>
  country === to.country &&
  (!regions || regions.some((region) => plain(region) === plain(to.region ?? ''))) &&
  (!postalCodes || postalCodes.some((pattern) => fits(pattern, compact(to.postalCode ?? ''))))

/** The first zone with a place that holds the destination. */
export const zoneOf = <Z extends { readonly places: readonly Place[] }>(
  zones: readonly Z[],
  to: Destination,
): Z | undefined => zones.find(({ places }) => places.some((place) => holds(place, to)))
