import {
  ConsoleLoggerService,
  type LoggerService,
  type Task,
  type TWorkflow,
  type WorkflowActivityContext,
  type WorkflowContext,
  WorkflowRuntime,
} from '@dapr/dapr'
import { type Background, every } from './background.ts'
import type { BaseConfig } from './config.ts'
import { failpoint } from './failpoint.ts'
import type { Log } from './log.ts'
import type { Sidecar } from './sidecar.ts'

/** Yields what it waits for, and is given what came of it. It runs again from its start with each answer: no clock, no chance, no I/O. */
export type Workflow = (
  context: WorkflowContext,
  input: never,
) => AsyncGenerator<Task<unknown>, unknown, never>

export interface Workflows {
  readonly workflows: Readonly<Record<string, Workflow>>
  /** May be repeated at any time, also when they were done: each has one effect. They take and give objects. */
  readonly activities: Readonly<Record<string, (input: never) => Promise<object>>>
}

interface WorkerTools {
  readonly config: Pick<BaseConfig, 'SIDECAR_HOST' | 'DAPR_GRPC_PORT' | 'DAPR_API_TOKEN'>
  readonly sidecar: Pick<Sidecar, 'ready'>
  readonly log: Log
}

/** The SDK's worker makes a logger of its own, whose lines are no JSON; it writes several for each step. */
const logThrough = (log: Log): void => {
  const say = (level: 'warn' | 'debug') => (message: string) => log[level]({ worker: 'workflows' }, message)
  const service: LoggerService = {
    // What failed is repeated, by the worker or by whoever follows the workflow.
    ...{ error: say('warn'), warn: say('warn') },
    ...{ info: say('debug'), verbose: say('debug'), debug: say('debug') },
  }
  Object.assign(ConsoleLoggerService.prototype, service)
}

/**
 * Runs the app's part of Dapr Workflow: the sidecar keeps what has happened and hands out what comes next. The SDK's worker gives up for
 * good when the sidecar goes away under its first connection, so it is started again.
 */
export const workflowWorker = (
  { workflows, activities }: Workflows,
  { config, sidecar, log }: WorkerTools,
): Background => {
  logThrough(log)
  const runtime = new WorkflowRuntime({
    daprHost: config.SIDECAR_HOST,
    daprPort: String(config.DAPR_GRPC_PORT),
    daprApiToken: config.DAPR_API_TOKEN,
  })
  for (const [name, workflow] of Object.entries(workflows))
    runtime.registerWorkflowWithName(name, workflow as TWorkflow)
  for (const [name, act] of Object.entries(activities))
    runtime.registerActivityWithName(name, async (_: WorkflowActivityContext, input: unknown) => {
      failpoint('before-step')
      const done = await act(input as never)
      failpoint('after-step')
      return done
    })
  const upkeep = every(2000, 'workflow-worker', log, async () => {
    await sidecar.ready(1000)
    await runtime.start().catch((error: Error) => {
      if (!/already running/.test(error.message)) throw error
    })
  })
  return {
    start: () => {
      const stop = upkeep.start()
      return async () => {
        await stop()
        // It throws where it does not run.
        await runtime.stop().catch(() => undefined)
      }
    },
  }
}
