import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { create, type Font } from 'fontkit'
import subsetFont from 'subset-font'

export type Weight = 400 | 700

/** Latin, Greek and Cyrillic, then Chinese: simplified, traditional. Each is some files of a few scripts or a hundred characters (SIL OFL 1.1). */
const families = ['noto-sans', 'noto-sans-sc', 'noto-sans-tc']

/** What stands for a character that no family has, as printers do it: the geta mark. */
const missing = '〓'

const pathOf = (family: string, file: string) =>
  fileURLToPath(import.meta.resolve(`@fontsource-variable/${family}/${file}`))

/** The characters of a CSS `unicode-range`. */
const charactersOf = (ranges: string): string[] =>
  ranges.split(',').flatMap((range) => {
    const [from = 0, to = from] = range
      .replace('U+', '')
      .split('-')
      .map((digits) => Number.parseInt(digits, 16))
    return Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index))
  })

/** By character, the files that may have it; which has it, the file itself says. */
const readSlices = (): ReadonlyMap<string, readonly string[]> => {
  const slices = new Map<string, string[]>()
  for (const family of families) {
    const ranges: Record<string, string> = JSON.parse(readFileSync(pathOf(family, 'unicode.json'), 'utf8'))
    for (const [name, range] of Object.entries(ranges)) {
      const file = pathOf(family, `files/${family}-${name.replace(/[[\]]/g, '')}-wght-normal.woff2`)
      for (const character of charactersOf(range))
        slices.set(character, [...(slices.get(character) ?? []), file])
    }
  }
  return slices
}
let slices: ReturnType<typeof readSlices> | undefined

/**
 * A file as TrueType with these characters alone, in one weight: pdfkit embeds no WOFF2 and no instance of a variable font. Some
 * milliseconds each, so nothing is kept.
 */
const open = async (file: string, characters: string, wght: Weight): Promise<Font> =>
  create(
    await subsetFont(await readFile(file), characters, { targetFormat: 'sfnt', variationAxes: { wght } }),
  ) as Font

/** What has one glyph has that for missing ones alone, and no table of characters to ask. */
const has = (face: Font, character: string): boolean =>
  face.numGlyphs > 1 && face.hasGlyphForCodePoint(character.codePointAt(0) as number)

/** The face of each character; undefined where no family has it. */
const facesOf = async (texts: string, weight: Weight): Promise<ReadonlyMap<string, Font | undefined>> => {
  slices ??= readSlices()
  const known = slices
  const found = new Map<string, Font | undefined>()
  let wanted = Array.from(new Set(texts), (character) => ({ character, left: known.get(character) ?? [] }))
  while (wanted.length > 0) {
    for (const [file, some] of Map.groupBy(wanted, ({ left }) => left[0])) {
      const characters = some.map(({ character }) => character).join('')
      const face = file === undefined ? undefined : await open(file, characters, weight)
      for (const { character } of some) if (!face || has(face, character)) found.set(character, face)
    }
    wanted = wanted
      .filter(({ character }) => !found.has(character))
      .map(({ character, left }) => ({ character, left: left.slice(1) }))
  }
  return found
}

export interface Run {
  readonly face: Font
  readonly text: string
}

/** Divides a text into runs of one face each. Throws at a character that was not among those to load. */
export type Runs = (text: string, weight: Weight) => Run[]

/** Opens what these texts need. A letter and its accent are one character where Unicode has it (NFC). */
export const loadFaces = async (texts: Readonly<Record<Weight, string>>): Promise<Runs> => {
  const of = (weight: Weight) =>
    facesOf(`${missing}${texts[weight]}`.replaceAll('\n', '').normalize('NFC'), weight)
  const faces = { 400: await of(400), 700: await of(700) }
  return (text, weight) => {
    const runs: { face: Font; text: string }[] = []
    for (const each of text.normalize('NFC')) {
      if (!faces[weight].has(each)) throw new Error(`no face was loaded for ${JSON.stringify(each)}`)
      const character = faces[weight].get(each) ? each : missing
      const face = faces[weight].get(character) as Font
      const last = runs.at(-1)
      if (last?.face === face) last.text += character
      else runs.push({ face, text: character })
    }
    return runs
  }
}
