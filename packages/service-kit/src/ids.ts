import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let used = pool.length

/** Random bytes as hexadecimal digits, from a pool: one call of the kernel for hundreds of ids. */
export const randomHex = (bytes: number): string => {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}

/** A UUIDv7 (RFC 9562, 5.7): sorts by the millisecond in which it was made; 74 random bits. */
export const newId = (now = Date.now()): string => {
  const random = randomHex(10)
  const time = now.toString(16).padStart(12, '0')
  const variant = (0x8 | (Number.parseInt(random.charAt(3), 16) & 0x3)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

const slotDigits = 3
/** Into how many slots ids fall by their last digits, which are random. */
export const slots = 16 ** slotDigits

/** Undefined for what does not end as a UUID does. */
export const slotOf = (id: string): number | undefined => {
  const end = id.slice(-slotDigits)
  return /^[0-9a-f]{3}$/i.test(end) ? Number.parseInt(end, 16) : undefined
}

/** A new id in the slot of another: it ends alike. */
export const newIdBeside = (id: string): string =>
  slotOf(id) === undefined ? newId() : newId().slice(0, -slotDigits) + id.slice(-slotDigits).toLowerCase()
