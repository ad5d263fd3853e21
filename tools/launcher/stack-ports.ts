import { isFree, type PortPool, portHolder } from './ports.ts'
import { declaredPorts, expandReplicas, type Topology } from './topology.ts'

// With the ports of dapr.yaml, these too are where one expects them, unless something else is there already: the Dapr
// CLI looks for placement and scheduler at 50005 and 50006.
const usual = { mysql: 13306, redis: 16379, placement: 50005, scheduler: 50006 }

type PortOptions = { declared: boolean; replicas: Record<string, number>; backingOnly: boolean }

/** A port for everything that a stack runs. Throws when one of dapr.yaml is needed and taken, saying by whom. */
export const allocatePorts = async (
  pool: PortPool,
  topology: Topology,
  { declared, replicas, backingOnly }: PortOptions,
) => {
  if (declared)
    for (const [name, port] of declaredPorts(topology)) {
      pool.reserve(port)
      const needed = !backingOnly || topology.outside.some((spec) => spec.appID === name)
      if (needed && !(await isFree(port))) throw new Error(takenPort(name, port))
    }
  const outside = new Map<string, Record<string, number>>()
  for (const { appID, appPort, ports } of topology.outside) {
    const own: Record<string, number> = {}
    for (const [name, port] of Object.entries({ app: appPort, ...ports }))
      own[name] = declared ? port : await pool.take()
    outside.set(appID, own)
  }
  const one = (name: keyof typeof usual) => pool.take(declared ? usual[name] : undefined)
  return {
    outside,
    mysql: await one('mysql'),
    redis: await one('redis'),
    sentry: { grpc: await pool.take(), health: await pool.take() },
    placement: { grpc: await one('placement'), health: await pool.take(), raft: await pool.take() },
    scheduler: {
      grpc: await one('scheduler'),
      health: await pool.take(),
      etcd: await pool.take(),
      peer: await pool.take(),
    },
    apps: await expandReplicas(topology.apps, replicas, declared, () => pool.take()),
  }
}

export type StackPorts = Awaited<ReturnType<typeof allocatePorts>>

const takenPort = (name: string, port: number) => {
  const holder = portHolder(port)
  return `port ${port} of ${name} is taken${holder ? ` by ${holder}` : ''}`
}
