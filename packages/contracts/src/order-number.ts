import { z } from 'zod'

/** What an order is called by people. Its characters do not look alike and make no words. */
export const numberLetters = 'CDFGHJKMNPQRTVWXY34679'
const letter = `[${numberLetters}]`
const heard = `[${numberLetters}${numberLetters.toLowerCase().replace(/\d/g, '')}]`

export const orderNumber = z
  .string()
  .regex(new RegExp(`^CV-${letter}{4}-${letter}{4}$`))
  .meta({ description: 'Of an order, to be read out', examples: ['CV-7K3M-94QF'] })

/** As it is written down by whom it was read out to: in either case, its first letters and dashes left out or not. */
export const heardNumber = z
  .string()
  .regex(
    new RegExp(`^ *(?:[Cc][Vv][- ]?)?${heard}{4}[- ]?${heard}{4} *$`),
    'not a number such as CV-7K3M-94QF',
  )
  .max(30)
  .meta({ description: 'Number of an order', examples: ['CV-7K3M-94QF'] })
  .transform((text) => {
    const digits = text.replace(/[- ]/g, '').toUpperCase().slice(-8)
    return `CV-${digits.slice(0, 4)}-${digits.slice(4)}`
  })
