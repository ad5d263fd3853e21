import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, parse, parseDocument, stringify } from 'yaml'

/** Which image an overlay runs for one that the base names, as Kustomize has it. */
export type Image = { name: string; newName?: string; newTag?: string; digest?: string }

const fileOf = (overlay: string) => `deploy/kubernetes/overlays/${overlay}/kustomization.yaml`

export const imagesOf = (root: string, overlay: string): Image[] =>
  parse(readFileSync(join(root, fileOf(overlay)), 'utf8')).images ?? []

/** The text of a kustomization with these images, and nothing else changed. */
const withImages = (text: string, images: Image[]): string => {
  const { contents } = parseDocument(text)
  const old = isMap(contents)
    ? contents.items.find(({ key }) => isScalar(key) && key.value === 'images')
    : undefined
  const from = isScalar(old?.key) ? old.key.range?.[0] : text.length
  const to = (old?.value as { range?: number[] } | undefined)?.range?.[2] ?? text.length
  return text.slice(0, from) + stringify({ images }) + text.slice(to)
}

/**
 * Gives an overlay its images, as a commit to the branch main of the remote. `choose` is asked when the repository is as new
 * as the remote. Nothing is committed when the overlay has them already. Throws when git fails, as it does when another
 * commit comes between: then again, from the start.
 */
export const commitImages = (root: string, overlay: string, choose: () => Image[]): void => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
  const remote = process.env.OVERLAYS_REMOTE ?? 'origin'
  git('pull', '--quiet', '--rebase', remote, 'main')
  const file = fileOf(overlay)
  writeFileSync(join(root, file), withImages(readFileSync(join(root, file), 'utf8'), choose()))
  if (!git('status', '--porcelain', '--', file)) return
  const author = ['-c', 'user.name=Caravan delivery', '-c', 'user.email=delivery@caravan.example']
  // A pipeline of this commit would only release the same again.
  git(
    ...author,
    'commit',
    '--quiet',
    '--message',
    `chore(deploy): images of ${overlay} [skip ci]`,
    '--',
    file,
  )
  git('push', '--quiet', remote, 'HEAD:main')
}

/** Of each image that `online` names, the one that `test` has. Throws when `test` has none of a release. */
export const promotedImages = (root: string): Image[] => {
  const tested = imagesOf(root, 'test')
  return imagesOf(root, 'online').map(({ name }) => {
    const image = tested.find((other) => other.name === name && other.digest)
    if (!image) throw new Error(`the overlay test has no ${name} of a release`)
    return image
  })
}
