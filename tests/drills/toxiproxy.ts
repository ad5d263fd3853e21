import { spawn } from 'node:child_process'
import { eventually } from '@caravan/service-kit/testing/eventually'
import { provideGoTool } from '../../tools/launcher/go-tool.ts'
import { openGuard } from '../../tools/launcher/guard.ts'
import { portPool } from '../../tools/launcher/ports.ts'
import { repository } from '../../tools/launcher/stack-file.ts'

export interface Toxic {
  readonly type: string
  /** `downstream` is towards the client. Both unless said otherwise. */
  readonly stream?: 'downstream' | 'upstream'
  readonly attributes: Record<string, number>
}

/** A Toxiproxy server of this process's own (https://github.com/Shopify/toxiproxy), driven by its HTTP API. */
export const startToxiproxy = async (log: (line: string) => void) => {
  const file = await provideGoTool(repository, 'toxiproxy', log)
  const pool = portPool()
  const port = await pool.take()
  const guard = openGuard()
  const [command, ...args] = guard.wrap([file, '-host', '127.0.0.1', '-port', String(port)])
  const server = spawn(command as string, args, { stdio: 'ignore' })
  const ask = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body ? JSON.stringify(body) : null,
    })
    if (!answer.ok) throw new Error(`Toxiproxy: ${method} ${path}: ${await answer.text()}`)
    await answer.body?.cancel()
  }
  await eventually('Toxiproxy answers', () => ask('GET', '/version').then(() => true))

  return {
    /** Gives the port at which connections to `upstream`, a port of this machine, pass the proxy. */
    proxy: async (name: string, upstream: number): Promise<number> => {
      const listen = await pool.take()
      await ask('POST', '/proxies', {
        ...{ name, listen: `127.0.0.1:${listen}`, upstream: `127.0.0.1:${upstream}`, enabled: true },
      })
      return listen
    },
    /** From now on the proxy's connections, open ones and new, suffer from these. */
    poison: async (name: string, toxics: readonly Toxic[]): Promise<void> => {
      for (const { type, stream, attributes } of toxics)
        for (const each of stream ? [stream] : ['downstream', 'upstream'])
          await ask('POST', `/proxies/${name}/toxics`, { type, stream: each, attributes })
    },
    /** All connections pass again. */
    cure: () => ask('POST', '/reset'),
    close: (): void => {
      server.kill('SIGKILL')
      guard.close()
      pool.close()
    },
  }
}
