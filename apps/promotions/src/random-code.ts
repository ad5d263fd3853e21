import { randomInt } from 'node:crypto'

/** No vowels, so that no words come about; of what looks alike (0 O D, 1 I L, 2 Z, 5 S, 8 B, U V) one at most. */
const alphabet = 'CDFGHJKMNPQRTVWXY34679'

/** From a CSPRNG: about 4.5 bits a character. */
export const randomCode = (length: number, prefix = ''): string =>
  prefix + Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
