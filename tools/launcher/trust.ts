import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { newAuthority, trustDomain, trustFiles } from './authority.mjs'
import type { Environment } from './environment.ts'
import { repository } from './stack-file.ts'
import type { AppSpec } from './topology.ts'

/** What a program of Dapr needs for mTLS beside what it always gets. */
type Part = { flags: string[]; env: Environment }

export type Trust = Record<'sentry' | 'placement' | 'scheduler', Part> & {
  /** Access control comes with mTLS: without, a sidecar knows no caller's name and would refuse them all. */
  sidecar: (app: Pick<AppSpec, 'appID' | 'configFilePath'>) => Part
}

/**
 * Makes a certificate authority for these apps in the folder `trust` of a stack. It is another one at each start, so that
 * nothing of it has to be renewed.
 */
export const prepareTrust = (dir: string, apps: string[], sentryPort: number): Trust => {
  const folder = join(dir, 'trust')
  const schedulerIdentity = join(folder, 'scheduler')
  rmSync(folder, { recursive: true, force: true })
  // Before sentry starts, which begins again at each change in its folder but not below.
  mkdirSync(schedulerIdentity, { recursive: true, mode: 0o700 })
  const authority = newAuthority()
  const files = trustFiles(authority, ['placement', 'scheduler', ...apps])
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })

  const anchors = join(folder, 'ca.crt')
  const sentryAddress = `--sentry-address=127.0.0.1:${sentryPort}`
  const tokenOf = (name: string) => ({ DAPR_SENTRY_TOKEN_FILE: join(folder, `${name}.token`) })
  const controlPlane = ['--tls-enabled', sentryAddress, `--trust-domain=${trustDomain}`]
  controlPlane.push(`--trust-anchors-file=${anchors}`)
  return {
    sentry: {
      flags: [
        ...[`--config=${join(repository, 'dapr/sentry.yaml')}`, `--trust-domain=${trustDomain}`],
        `--issuer-credentials=${folder}`,
      ],
      env: { SENTRY_JWKS: join(folder, 'jwks.json') },
    },
    placement: { flags: controlPlane, env: tokenOf('placement') },
    scheduler: {
      flags: [...controlPlane, `--identity-directory-write=${join(schedulerIdentity, 'identity')}`],
      env: tokenOf('scheduler'),
    },
    sidecar: ({ appID, configFilePath }) => ({
      flags: [
        ...['--enable-mtls', sentryAddress, `--control-plane-trust-domain=${trustDomain}`],
        `--config=${join(dirname(configFilePath), '../access', basename(configFilePath))}`,
      ],
      env: { ...tokenOf(appID), DAPR_TRUST_ANCHORS: authority.root },
    }),
  }
}
