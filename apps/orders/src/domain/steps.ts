import type { Fulfilment } from './fulfilment.ts'

export interface Step {
  readonly what: string
  readonly about?: string
  readonly at: Date
}

type Part = { readonly id: string; readonly status: string }

/** The parts that are new, or in another state. */
const moved = <P extends Part>(before: readonly P[] = [], after: readonly P[] = []): readonly P[] => {
  const known = new Map(before.map(({ id, status }) => [id, status]))
  return after.filter(({ id, status }) => known.get(id) !== status)
}

const cancelledOf = ({ lines }: Fulfilment) => lines.reduce((sum, { cancelled }) => sum + cancelled, 0)

/** What a change of a fulfilment did, for the order's timeline. */
export const stepsOf = (before: Fulfilment, after: Fulfilment, now: Date): Step[] => [
  ...(cancelledOf(after) > cancelledOf(before) ? [{ what: 'lines-cancelled', at: now }] : []),
  ...(['shipments', 'refunds', 'returns'] as const).flatMap((kind) => {
    const word = { shipments: 'parcel', refunds: 'refund', returns: 'return' }[kind]
    return moved<Part>(before[kind], after[kind]).map(({ id, status }) => ({
      ...{ what: `${word}-${status}`, about: id, at: now },
    }))
  }),
]
