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
