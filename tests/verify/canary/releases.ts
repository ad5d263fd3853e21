import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { namespace } from '../../../tools/kubernetes/dapr-resources.ts'
import { inherited } from '../../../tools/launcher/environment.ts'

type Rollout = {
  metadata: { generation: number }
  status?: {
    phase?: string
    message?: string
    abort?: boolean
    currentPodHash?: string
    stableRS?: string
    currentStepIndex?: number
    availableReplicas?: number
  }
}
type Fault = 'slow' | 'faulty'

const withinMs = 900_000

/** The apps that have canaries, in a cluster where Argo Rollouts runs. */
export const releasesOf = (kubectl: string, kubeconfig: string) => {
  const run = promisify(execFile)
  const env = { ...inherited(), KUBECONFIG: kubeconfig }
  /** Clients go on buying meanwhile, in this process. */
  const inShop = async (...args: string[]): Promise<string> =>
    (await run(kubectl, [...args, `--namespace=${namespace}`], { env, maxBuffer: 2 ** 26 })).stdout

  const stateOf = async (app: string) => {
    const { status = {} }: Rollout = JSON.parse(await inShop('get', 'rollout', app, '--output=json'))
    return status
  }

  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (const end = Date.now() + withinMs; !(await isSo()); await pause(1000))
      if (Date.now() > end) throw new Error(`${what}: not within ${withinMs / 1000} s`)
  }

  const healthy = (app: string) =>
    until(`${app} is healthy`, async () => {
      const { phase, currentPodHash, stableRS } = await stateOf(app)
      return phase === 'Healthy' && currentPodHash === stableRS
    })

  /** A version of the same image, under a name, with a fault that it may have. Resolves with its hash when it has begun. */
  const begin = async (app: string, name: string, fault?: Fault): Promise<string> => {
    const { currentPodHash: before } = await stateOf(app)
    const values = {
      ...{ RELEASE: name, FAULT: fault ?? '' },
      NODE_OPTIONS: '--max-old-space-size-percentage=50 --import=/release/release.mjs',
    }
    const container = {
      name: 'app',
      env: Object.entries(values).map(([name, value]) => ({ name, value })),
      volumeMounts: [{ name: 'release', mountPath: '/release' }],
    }
    const volumes = [{ name: 'release', configMap: { name: 'release' } }]
    const patch = { spec: { template: { spec: { containers: [container], volumes } } } }
    await inShop('patch', 'deployment', app, '--type=strategic', `--patch=${JSON.stringify(patch)}`)
    await until(`${app} begins ${name}`, async () => (await stateOf(app)).currentPodHash !== before)
    return String((await stateOf(app)).currentPodHash)
  }

  /** Waits until the version that has begun is everywhere, or withdrawn; `at` is told of each step that it reaches. */
  const judged = async (app: string, at: (step: number) => void = () => {}) => {
    let reached = -1
    let state = await stateOf(app)
    await until(`${app} is promoted or withdrawn`, async () => {
      state = await stateOf(app)
      const step = state.currentStepIndex ?? 0
      if (step > reached) at(step)
      reached = Math.max(reached, step)
      return Boolean(state.abort) || (state.phase === 'Healthy' && state.currentPodHash === state.stableRS)
    })
    return { promoted: !state.abort, message: state.message ?? '', stable: state.stableRS }
  }

  return { healthy, begin, judged, stateOf }
}
