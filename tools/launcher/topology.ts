import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const environment = z.record(z.string(), z.coerce.string()).default({})
const port = z.number().int().min(1).max(65535)
const common = z.object({ resourcesPaths: z.array(z.string()).min(1), env: environment })

const program = z.object({
  appID: z.string(),
  appDirPath: z.string(),
  appPort: port,
  command: z.array(z.string()).min(1),
  env: environment,
})

const app = program.extend({
  configFilePath: z.string(),
  daprHTTPPort: port,
  daprGRPCPort: port,
  daprInternalGRPCPort: port,
  metricsPort: port,
  appProtocol: z.string().optional(),
  appMaxConcurrency: z.number().optional(),
  enableAppHealthCheck: z.boolean().optional(),
  appHealthCheckPath: z.string().optional(),
  appHealthProbeInterval: z.number().optional(),
  appHealthProbeTimeout: z.number().optional(),
  appHealthThreshold: z.number().optional(),
})

const outsider = program.extend({ ports: z.record(z.string(), port).default({}) })

const file = z.object({ common, apps: z.array(app).min(2), outside: z.array(outsider).default([]) })

export type AppSpec = z.infer<typeof app>
/** `ports` are those beside its HTTP port: it is told of each as `<NAME>_PORT`. */
export type OutsideSpec = z.infer<typeof outsider>
export type Topology = {
  apps: AppSpec[]
  outside: OutsideSpec[]
  resourceFolders: string[]
}

/**
 * Reads the text of dapr.yaml in `folder`; paths in the result are absolute. Apps keep the file's order and carry the
 * common environment. Throws when a setting that the launcher needs is missing, or two
 * apps claim one port.
 */
export const parseTopology = (text: string, folder: string): Topology => {
  const { common, apps, outside } = file.parse(parse(text))
  const place = <T extends z.infer<typeof program>>(spec: T): T => ({
    ...spec,
    appDirPath: resolve(folder, spec.appDirPath),
    env: { ...common.env, ...spec.env },
  })
  const topology = {
    apps: apps.map(place).map((spec) => ({
      ...spec,
      configFilePath: resolve(spec.appDirPath, spec.configFilePath),
    })),
    outside: outside.map(place),
    resourceFolders: common.resourcesPaths.map((path) => resolve(folder, path)),
  }
  const claims = new Map<number, string>()
  for (const [name, claimed] of declaredPorts(topology)) {
    const other = claims.get(claimed)
    if (other) throw new Error(`dapr.yaml gives port ${claimed} to both ${other} and ${name}`)
    claims.set(claimed, name)
  }
  return topology
}

export const readTopology = (root: string): Topology =>
  parseTopology(readFileSync(join(root, 'dapr/dapr.yaml'), 'utf8'), join(root, 'dapr'))

/** Every port of dapr.yaml, as [name of its owner, port]. */
export const declaredPorts = (topology: Topology): [string, number][] => [
  ...topology.outside.flatMap((spec) =>
    [spec.appPort, ...Object.values(spec.ports)].map((claimed): [string, number] => [spec.appID, claimed]),
  ),
  ...topology.apps.flatMap((spec): [string, number][] => [
    [spec.appID, spec.appPort],
    ...Object.values(sidecarPorts(spec)).map((claimed): [string, number] => [
      `${spec.appID}.sidecar`,
      claimed,
    ]),
  ]),
]

export const sidecarPorts = (spec: AppSpec) => ({
  http: spec.daprHTTPPort,
  grpc: spec.daprGRPCPort,
  internal: spec.daprInternalGRPCPort,
  metrics: spec.metricsPort,
})

/** `healthPort` answers for the sidecar's health outside of its httpPipeline, which would ask for a token. */
export type Replica = AppSpec & { name: string; healthPort: number }

/**
 * The processes to run: each app once, or as often as `replicas` says, which may name `all` for those that it does not name. The first replica carries the app's name, the
 * others `<app>-2`, `<app>-3`. `takePort` gives a port that nothing else uses; with `declared`, first replicas use those
 * of dapr.yaml instead, where it has them.
 */
export const expandReplicas = async (
  apps: AppSpec[],
  replicas: Record<string, number>,
  declared: boolean,
  takePort: () => Promise<number>,
): Promise<Replica[]> => {
  const { all = 1, ...named } = replicas
  const unknown = Object.keys(named).find((id) => !apps.some((spec) => spec.appID === id))
  if (unknown) throw new Error(`no app is called ${unknown}`)
  const expanded: Replica[] = []
  for (const spec of apps) {
    for (let index = 1; index <= (named[spec.appID] ?? all); index++) {
      const name = index === 1 ? spec.appID : `${spec.appID}-${index}`
      const own = { name, healthPort: await takePort() }
      if (index === 1 && declared) expanded.push({ ...spec, ...own })
      else
        expanded.push({
          ...spec,
          ...own,
          appPort: await takePort(),
          daprHTTPPort: await takePort(),
          daprGRPCPort: await takePort(),
          daprInternalGRPCPort: await takePort(),
          metricsPort: await takePort(),
        })
    }
  }
  return expanded
}
