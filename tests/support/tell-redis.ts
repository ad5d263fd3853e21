import { once } from 'node:events'
import { connect } from 'node:net'
import type { Stack } from '../../tools/launcher/stack.ts'

/** A command in Redis's protocol (RESP), which takes any bytes. */
const encode = (parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [
      Buffer.from(`$${Buffer.byteLength(part)}\r\n`),
      Buffer.from(part),
      Buffer.from('\r\n'),
    ]),
  ])

/** One command to the stack's Redis. Throws when that is an error. */
export const tellRedis = async (stack: Stack, ...command: (string | Buffer)[]): Promise<void> => {
  const socket = connect(Number(stack.process('redis').ports.redis), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  for (const each of [['AUTH', String(stack.secrets['redis-password'])], command, ['QUIT']])
    socket.write(encode(each))
  await once(socket, 'close')
  if (!answer.startsWith('+OK\r\n') || !answer.endsWith('+OK\r\n') || /^-/m.test(answer))
    throw new Error(`Redis said ${answer}`)
}
