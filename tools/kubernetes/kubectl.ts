import { spawnSync } from 'node:child_process'
import { parseAllDocuments } from 'yaml'
import { inherited } from '../launcher/environment.ts'

/** What kubectl said to these arguments; it is given `input`, if any. */
export type Kubectl = (args: string[], input?: string) => { ok: boolean; stdout: string; stderr: string }

/** The program at this path, for one cluster: `access` goes before all arguments, `kubeconfig` is its configuration. */
export const openKubectl =
  (program: string, { access = [], kubeconfig }: { access?: string[]; kubeconfig?: string }): Kubectl =>
  (args, input) => {
    const { status, stdout, stderr } = spawnSync(program, [...access, ...args], {
      ...{ encoding: 'utf8', maxBuffer: 2 ** 28 },
      env: { ...inherited(), ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) },
      ...(input === undefined ? {} : { input }),
    })
    return { ok: status === 0, stdout, stderr }
  }

/** What kubectl prints; throws with what it complains of. */
export const tell = (kubectl: Kubectl, args: string[], input?: string): string => {
  const { ok, stdout, stderr } = kubectl(args, input)
  if (!ok) throw new Error(`kubectl ${args.slice(0, 4).join(' ')}: ${stderr.trim() || stdout.trim()}`)
  return stdout
}

/** As JSON, not as YAML, which Kubernetes reads by an older version: `yes` is true there. */
export const listOf = (items: readonly object[]): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

export const objectsIn = <T>(text: string): T[] =>
  parseAllDocuments(text).map((document): T => document.toJS())
