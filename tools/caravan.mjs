// The door of every npm script: plain JavaScript for the Node that happens to be installed. Installs the locked
// packages when they are missing or out of date, then hands over to the Node they bring and the launcher.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = join(root, 'node_modules/.bin/node')
const lock = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages

/** Whether a package of the lock file is not installed, or in another version. Platform packages are optional. */
const outOfDate = () => {
  if (!existsSync(join(root, 'node_modules/.package-lock.json')) || !existsSync(node)) return true
  const installed = lock('node_modules/.package-lock.json')
  return Object.entries(lock('package-lock.json')).some(
    ([path, wanted]) =>
      path.startsWith('node_modules/') &&
      !wanted.optional &&
      (!installed[path] || installed[path].version !== wanted.version),
  )
}

if (outOfDate()) {
  console.error('installing packages (npm ci)')
  const npm = spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], { cwd: root, encoding: 'utf8' })
  if (npm.status !== 0) {
    console.error(npm.error ? `npm did not start: ${npm.error.message}` : npm.stdout + npm.stderr)
    process.exit(1)
  }
}

// Compiled code is kept for the next time: a shop and its tests are many programs of the same modules.
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'), ...process.env }
// The channel carries no messages: its closing tells the launcher that this process is gone, even by SIGKILL.
const launcher = spawn(node, [join(root, 'tools/launcher/main.ts'), ...process.argv.slice(2)], {
  env,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => launcher.kill(signal))
// Killed by SIGKILL, npm passes nothing on: its end shows as a change of parent.
const parent = process.ppid
if (process.env.npm_lifecycle_event)
  setInterval(() => process.ppid !== parent && launcher.kill('SIGTERM'), 500).unref()
launcher.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
