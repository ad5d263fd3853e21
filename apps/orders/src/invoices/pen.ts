import type { Runs, Weight } from './faces.ts'
import { sum } from './invoice.ts'

export interface Style {
  readonly size: number
  readonly weight: Weight
  readonly align?: 'left' | 'right'
}

const leading = 1.4

/** Where a line may end: after a blank, and between two Chinese characters; not before a punctuation mark, which is of no such script. */
const breaks = /(?<= )|(?<=\p{Script=Han})(?=\p{Script=Han})/u

/** Writes lines on a document, each in the faces that its characters need. */
export const createPen = (doc: PDFKit.PDFDocument, runs: Runs) => {
  const names = new Map<object, string>()

  /** Sets the face of a run; pdfkit opens a face anew unless it is asked for by name. */
  const use = (face: object, size: number): void => {
    const name = names.get(face) ?? `face-${names.size}`
    if (!names.has(face)) doc.registerFont(name, face as never)
    names.set(face, name)
    doc.font(name, size)
  }
  const measured = (text: string, { weight, size }: Style) =>
    runs(text, weight).map((run) => {
      use(run.face, size)
      return { ...run, width: doc.widthOfString(run.text) }
    })
  const widthOf = (text: string, style: Style): number => sum(measured(text, style).map(({ width }) => width))

  /** As many lines as the width demands; a word that is longer than a line is divided anywhere. */
  const wrap = (text: string, style: Style, width: number): string[] => {
    const lines: string[] = []
    let line = ''
    const add = (part: string, otherwise: (part: string) => void): void => {
      if (widthOf((line + part).trimEnd(), style) <= width) line += part
      else otherwise(part)
    }
    const next = (part: string): void => {
      if (line) lines.push(line.trimEnd())
      line = part
    }
    for (const word of text.split(breaks))
      add(word, () => {
        next('')
        add(word, () => {
          for (const character of word) add(character, next)
        })
      })
    return [...lines, line]
  }

  const drawLine = (text: string, x: number, top: number, width: number, style: Style): void => {
    let left = style.align === 'right' ? x + width - widthOf(text.trimEnd(), style) : x
    for (const run of measured(text, style)) {
      use(run.face, style.size)
      doc.text(run.text, left, top + style.size, { lineBreak: false, baseline: 'alphabetic' })
      left += run.width
    }
  }
  /** Each line ends with a blank, by which who reads aloud or copies tells its last word from the next one. */
  const draw = (lines: readonly string[], x: number, top: number, width: number, style: Style): void => {
    for (const [index, line] of lines.entries())
      drawLine(`${line} `, x, top + index * style.size * leading, width, style)
  }
  const heightOf = (lines: readonly string[], { size }: Style): number => lines.length * size * leading

  return { wrap, draw, heightOf }
}
