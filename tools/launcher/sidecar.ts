import type { Replica } from './topology.ts'

export type ControlPlane = { placement: number; scheduler: number }

/** daprd's command line for one replica. All that it listens on is bound to 127.0.0.1. */
export const sidecarFlags = (
  app: Replica,
  resourceFolders: string[],
  controlPlane: ControlPlane,
): string[] => {
  const settings: Record<string, string | number | boolean | undefined> = {
    'app-id': app.appID,
    'app-port': app.appPort,
    'app-protocol': app.appProtocol,
    'app-max-concurrency': app.appMaxConcurrency,
    'enable-app-health-check': app.enableAppHealthCheck,
    'app-health-check-path': app.appHealthCheckPath,
    'app-health-probe-interval': app.appHealthProbeInterval,
    'app-health-probe-timeout': app.appHealthProbeTimeout,
    'app-health-threshold': app.appHealthThreshold,
    'dapr-http-port': app.daprHTTPPort,
    'dapr-grpc-port': app.daprGRPCPort,
    'dapr-internal-grpc-port': app.daprInternalGRPCPort,
    'metrics-port': app.metricsPort,
    'dapr-public-port': app.healthPort,
    'dapr-public-listen-address': '127.0.0.1',
    'dapr-listen-addresses': '127.0.0.1',
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    'metrics-listen-address': '127.0.0.1',
    'placement-host-address': `127.0.0.1:${controlPlane.placement}`,
    'scheduler-host-address': `127.0.0.1:${controlPlane.scheduler}`,
    config: app.configFilePath,
    'log-as-json': true,
    'enable-api-logging': false,
    'dapr-graceful-shutdown-seconds': 5,
  }
  return [
    ...Object.entries(settings).flatMap(([flag, value]) =>
      value === undefined ? [] : [`--${flag}=${value}`],
    ),
    ...resourceFolders.map((folder) => `--resources-path=${folder}`),
  ]
}
