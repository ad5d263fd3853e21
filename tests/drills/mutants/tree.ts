import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { repository } from '../../../tools/launcher/stack-file.ts'
import type { Edit } from '../../simulation/load-services.ts'

const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' })

/** What a commit would hold: files that git tracks, and new ones that it does not ignore. */
const sourceFiles = (): string[] =>
  git('ls-files', '-z', '--cached', '--others', '--exclude-standard')
    .split('\0')
    .filter((file) => file && existsSync(join(repository, file)))

/**
 * The files that edits change, by path, with the text that they then have. Throws unless each edit's file is there once,
 * and in it the text that it replaces.
 */
export const mutated = (edits: readonly Edit[], files = sourceFiles(), root = repository) => {
  const texts = new Map<string, string>()
  for (const { file, find, put } of edits) {
    const [path, ...others] = files.filter((each) => `/${each}`.endsWith(file))
    if (!path || others.length > 0) throw new Error(`there is not one file ${file}`)
    const parts = (texts.get(path) ?? readFileSync(join(root, path), 'utf8')).split(find)
    if (parts.length !== 2) throw new Error(`${path} does not have this once: ${find}`)
    texts.set(path, parts.join(put))
  }
  return texts
}

/** The installed packages by links; the workspaces among them are those of the copy, by the relative links they have. */
const linkPackages = (root: string): void => {
  const link = (path: string) => symlinkSync(join(repository, path), join(root, path))
  mkdirSync(join(root, 'node_modules/@caravan'), { recursive: true })
  for (const each of readdirSync(join(repository, 'node_modules/@caravan'))) {
    const workspace = join('node_modules/@caravan', each)
    symlinkSync(readlinkSync(join(repository, workspace)), join(root, workspace))
  }
  for (const each of readdirSync(join(repository, 'node_modules')))
    if (each !== '@caravan') link(join('node_modules', each))
  for (const path of globSync('{apps,packages}/*/node_modules', { cwd: repository })) link(path)
}

/** Copies the repository as it is now to a temporary folder, in which its commands run, and can be changed. */
export const copyTree = () => {
  const files = sourceFiles()
  const root = mkdtempSync(join(tmpdir(), 'caravan-mutants-'))
  // For commands that tell which commit they ran at.
  git('clone', '--quiet', '--shared', '--no-checkout', '.', root)
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    copyFileSync(join(repository, file), join(root, file))
  }
  linkPackages(root)
  return {
    root,
    /** What it is a copy of. */
    commit: git('rev-parse', 'HEAD').trim(),
    uncommittedChanges: git('status', '--porcelain') !== '',
    /** Does something while the edits are made. */
    mutate: async <T>(edits: readonly Edit[], work: () => Promise<T>): Promise<T> => {
      const texts = mutated(edits, files, root)
      const originals = [...texts.keys()].map((path) => [path, readFileSync(join(root, path))] as const)
      for (const [path, text] of texts) writeFileSync(join(root, path), text)
      try {
        return await work()
      } finally {
        for (const [path, text] of originals) writeFileSync(join(root, path), text)
      }
    },
    remove: (): void => rmSync(root, { recursive: true, force: true }),
  }
}

export type Tree = ReturnType<typeof copyTree>
