import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { basename, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export type ControlRequest =
  | { process: string; action: 'start' | 'stop' }
  | { process: string; action: 'kill'; signal: NodeJS.Signals }
  | { action: 'end' }

/** The launcher of a stack that already runs holds its control socket. */
export class AlreadyRunning extends Error {
  readonly profile: string
  constructor(profile: string) {
    super(`a stack "${profile}" is running already`)
    this.profile = profile
  }
}

// Relative, because the path of a socket may have about 100 characters only.
const socketFile = (dir: string) => relative(process.cwd(), join(dir, 'control.sock'))

const open = async (dir: string): Promise<Socket> => {
  const socket = connect({ path: socketFile(dir), allowHalfOpen: true })
  await once(socket, 'connect')
  // The other end may die at any moment; who reads from the socket sees it.
  socket.on('error', () => {})
  return socket
}

/** Whether a launcher holds this folder. Certain, unlike a recorded process id, which may be another's by now. */
export const isRunning = async (dir: string): Promise<boolean> => {
  const socket = await open(dir).catch(() => undefined)
  socket?.end()
  return socket !== undefined
}

/**
 * Listens for requests of other processes on `control.sock` in the stack's folder. The socket is the stack's lock too: it
 * throws AlreadyRunning when another launcher answers there, and takes over from one that died.
 */
export const openControl = async (
  dir: string,
  handle: (request: ControlRequest) => Promise<void>,
): Promise<Server> => {
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on('error', () => {})
    try {
      const request = await text(socket)
      if (request) await handle(JSON.parse(request))
      socket.end()
    } catch (error) {
      socket.end(String(error))
    }
  })
  if (await isRunning(dir)) throw new AlreadyRunning(basename(dir))
  rmSync(socketFile(dir), { force: true })
  server.listen(socketFile(dir))
  await once(server, 'listening')
  return server
}

/** Resolves when the launcher has done what was asked; throws with its message when it could not. */
export const askControl = async (dir: string, request: ControlRequest): Promise<void> => {
  const socket = await open(dir)
  socket.end(JSON.stringify(request))
  const failure = await text(socket)
  if (failure) throw new Error(failure)
}

/** Ends the launcher that holds this folder, as SIGTERM would, and resolves when all of its stack is down. */
export const endLauncher = async (dir: string): Promise<void> => {
  // One that dies at once does not answer.
  await askControl(dir, { action: 'end' }).catch(() => {})
  while (await isRunning(dir)) await sleep(50)
}
