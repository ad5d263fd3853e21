import { parseArgs } from 'node:util'

export type Arguments = {
  command: string
  files: string[]
  /** The stack that is meant: `.caravan/<profile>`. */
  profile: string
  replicas: Record<string, number>
  components: string
  seed: boolean
  backing: boolean
  mtls: boolean
  inTurn: boolean
}

/** Reads the command line after `caravan`; throws on an option that is not known. */
export const parseArguments = (line: string[]): Arguments => {
  const { values, positionals } = parseArgs({
    args: line,
    allowPositionals: true,
    options: {
      profile: { type: 'string', default: process.env.STACK_PROFILE ?? 'shop' },
      replicas: { type: 'string', default: '' },
      components: { type: 'string', default: 'local' },
      'no-seed': { type: 'boolean', default: false },
      backing: { type: 'boolean', default: false },
      mtls: { type: 'boolean', default: false },
      'in-turn': { type: 'boolean', default: false },
    },
  })
  // Dapr's CLI starts its sidecars without.
  if (values.backing && values.mtls) throw new Error('--backing and --mtls do not go together')
  const [command = 'start', ...files] = positionals
  return {
    ...{ command, files, profile: values.profile },
    replicas: parseReplicas(values.replicas),
    components: values.components,
    seed: !values['no-seed'],
    backing: values.backing,
    mtls: values.mtls,
    inTurn: values['in-turn'],
  }
}

/** Reads `gateway=2,orders=3`, or `all=2,orders=3`, where `all` is whatever is not named. */
export const parseReplicas = (text: string): Record<string, number> =>
  Object.fromEntries(
    text
      .split(',')
      .filter(Boolean)
      .map((pair) => {
        const [, app, count] = /^([a-z-]+)=([1-9]\d?)$/.exec(pair) ?? []
        if (!app) throw new Error(`--replicas takes app=number pairs such as gateway=2, not "${pair}"`)
        return [app, Number(count)]
      }),
  )
