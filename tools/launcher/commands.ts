import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Arguments } from './arguments.ts'
import { attachStack } from './attached-stack.ts'
import { endLauncher, isRunning } from './control.ts'
import { eraseStack } from './erase-stack.ts'
import { run } from './run.ts'
import { type Stack, startStack } from './stack.ts'
import { repository, stackFolder } from './stack-file.ts'

export const log = (line: string) => console.error(line)
export const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`

/** Starts the shop and stays until it is told to stop. */
export const start = async (args: Arguments, signal: AbortSignal): Promise<number> => {
  const startedAt = Date.now()
  const stack = await startStack({
    ...{ profile: 'shop', ports: 'declared', signal, log },
    ...{ replicas: args.replicas, components: args.components, backingOnly: args.backing, mtls: args.mtls },
  })
  const stopped = new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', resolve)
  })
  try {
    if (args.backing) printExports(stack)
    else {
      const code = args.seed ? await seed(stack, signal) : 0
      if (code !== 0 && !signal.aborted) return code
      if (!signal.aborted) printShop(stack, startedAt)
    }
    await stopped
    log('stopping')
    return 0
  } finally {
    await stack.stop()
  }
}

const printShop = ({ url, urls, pspUrl, mailUrl, secrets }: Stack, startedAt: number) => {
  console.log(`
Caravan runs, ${seconds(startedAt)} after its start. Ctrl-C or "npm run stop" ends it.

  shop           ${urls.join('  ')}
  API            ${url}/v1
  card provider  ${pspUrl}
  inbox          ${mailUrl}

  operator       ${secrets['operator-email']}   ${secrets['operator-password']}
  shopper        ${secrets['shopper-email']}   ${secrets['shopper-password']}
`)
}

/** For `dapr run -f dapr` in another terminal, which starts the apps itself; all of them share one pair of tokens. */
const printExports = ({ sidecarEnvironment, tokens }: Stack) => {
  const [pair] = Object.values(tokens)
  const environment = { ...sidecarEnvironment, APP_API_TOKEN: pair?.app, DAPR_API_TOKEN: pair?.dapr }
  for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`)
}

const tool = (file: string, stack: Pick<Stack, 'profile' | 'url'>, args: string[], signal: AbortSignal) => {
  const env = { STACK_PROFILE: stack.profile, GATEWAY_URL: stack.url }
  return run('node', [file, ...args], { env, signal })
}

/** Fills a shop with the sample data; resolves with the exit code. */
export const seed = async (stack: Stack, signal: AbortSignal): Promise<number> => {
  const file = 'tools/seed/main.ts'
  if (existsSync(join(repository, file))) return tool(file, stack, [], signal)
  log(`no ${file}: the shop is empty`)
  return 0
}

/** A command that runs one of the repository's programs against a running stack: that of the profile. */
export const against =
  (file: string) =>
  async ({ files, profile }: Arguments, signal: AbortSignal): Promise<number> =>
    tool(file, attachStack(profile), files, signal)

export const stop = async (): Promise<number> => {
  const dir = stackFolder('shop')
  if (await isRunning(dir)) {
    await endLauncher(dir)
    log('stopped')
  } else log('nothing runs')
  return 0
}

export const reset = async (): Promise<number> => {
  await eraseStack('shop')
  log('all data of the shop is gone; npm start begins anew')
  return 0
}
