import { once } from 'node:events'
import { connect } from 'node:net'
import type { Stack } from '../../tools/launcher/stack.ts'

/** One command to the stack's Redis, in its inline form. Throws unless the answer is OK. */
export const tellRedis = async (stack: Stack, command: string): Promise<void> => {
  const socket = connect(Number(stack.process('redis').ports.redis), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.write(`AUTH ${stack.secrets['redis-password']}\r\n${command}\r\nQUIT\r\n`)
  await once(socket, 'close')
  if (answer !== '+OK\r\n'.repeat(3)) throw new Error(`Redis said ${answer}`)
}
