import { rmSync } from 'node:fs'
import { removeVolumes } from './backing.ts'
import { AlreadyRunning, isRunning } from './control.ts'
import { stackFolder } from './stack-file.ts'

/** Deletes all data of a profile. Throws while its stack runs. */
export const eraseStack = async (profile: string): Promise<void> => {
  const dir = stackFolder(profile)
  if (await isRunning(dir)) throw new AlreadyRunning(profile)
  removeVolumes(dir)
  rmSync(dir, { recursive: true, force: true })
}
