import { spawnSync } from 'node:child_process'
import { findProgram } from './programs.ts'

/** Whether Debian packages can be installed: by root, with apt-get. */
export const canInstall = (): boolean => process.getuid?.() === 0 && findProgram('apt-get') !== undefined

/** Installs packages, without starting their services. Whether it worked is for the caller to see. */
export const install = (packages: readonly string[], log: (line: string) => void): void => {
  log(`installing ${packages.join(' and ')} (apt-get)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  // Another may be at it: both wait for their turn.
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300']
  spawnSync('apt-get', [...options, 'update'], { stdio: 'ignore' })
  const { status, stderr } = spawnSync(
    'apt-get',
    [...options, 'install', '-y', '--no-install-recommends', ...packages],
    { stdio: ['ignore', 'ignore', 'pipe'], env, encoding: 'utf8' },
  )
  if (status !== 0) log(stderr.trim())
}
