import { get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/**
 * How to see that a process is ready: an HTTP status, or `orBody` in an answer with another one; or any byte that a TCP
 * server answers to `send`.
 */
export type Probe = { url: string; status: number; orBody?: string } | { port: number; send: string }

/** One attempt on 127.0.0.1, of at most a second. Never throws. */
export const probe = (target: Probe): Promise<boolean> =>
  new Promise((done) => {
    if ('url' in target) {
      const request = get(target.url, { agent: false, timeout: 1000 }, async (response) => {
        const body = await text(response).catch(() => '')
        done(response.statusCode === target.status || Boolean(target.orBody && body.includes(target.orBody)))
      })
      request.on('error', () => done(false))
      request.on('timeout', () => request.destroy())
      return
    }
    const socket = connect(target.port, '127.0.0.1', () => socket.write(target.send))
    const finish = (answered: boolean) => {
      socket.destroy()
      done(answered)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.on('error', () => finish(false))
    socket.on('close', () => finish(false))
    socket.once('data', () => finish(true))
  })
