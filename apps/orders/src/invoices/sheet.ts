import { once } from 'node:events'
import PDFDocument from 'pdfkit'
import type { Runs, Weight } from './faces.ts'
import { sum } from './invoice.ts'
import { createPen, type Style } from './pen.ts'

interface Text {
  readonly text: string
  readonly tag: 'P' | 'H1' | 'H2' | 'TD' | 'TH'
  readonly style: Style
}

interface Cell {
  readonly texts: readonly Text[]
  readonly x: number
  readonly width: number
}

export interface Column {
  readonly head: string
  readonly width: number
  readonly align?: 'left' | 'right'
}

/** Points. A4, in portrait. */
const margin = 50
const contentWidth = 595 - 2 * margin
const bottom = 842 - 70
const gap = 4

/**
 * Paper to write on from top to bottom, which goes on to the next page by itself. What is written is marked for those who listen: headings,
 * paragraphs and tables in the order in which they come; rules and page numbers are not content. The same content gives the
 * same bytes.
 */
export const createSheet = (title: string, language: string, date: Date, runs: Runs) => {
  const doc = new PDFDocument({
    ...{ size: 'A4', margin: 0, bufferPages: true, font: null as never, pdfVersion: '1.7' },
    ...{ lang: language, tagged: true, displayTitle: true, info: { Title: title, CreationDate: date } },
  })
  const chunks: Buffer[] = []
  doc.on('data', (chunk) => chunks.push(chunk))
  const ended = once(doc, 'end')
  const root = doc.struct('Document')
  doc.addStructure(root)
  const { wrap, draw, heightOf } = createPen(doc, runs)
  let y = margin

  const nextPage = (): void => {
    doc.addPage()
    y = margin
  }
  const artifact = (type: 'Layout' | 'Pagination', work: () => void): void => {
    doc.markContent('Artifact', { type })
    work()
    doc.endMarkedContent()
  }
  const rule = (): void =>
    artifact('Layout', () =>
      doc
        .moveTo(margin, y)
        .lineTo(margin + contentWidth, y)
        .lineWidth(0.5)
        .stroke('#999999'),
    )

  /** Cells beside one another, each with texts below one another, every text an element of the structure. */
  const row = (parent: typeof root, cells: readonly Cell[], onNewPage?: () => void): void => {
    const wrapped = cells.map(({ texts, ...cell }) => ({
      ...cell,
      texts: texts.map((each) => ({
        ...each,
        lines: each.text.split('\n').flatMap((line) => wrap(line, each.style, cell.width)),
      })),
    }))
    const heights = wrapped.map(({ texts }) => texts.map(({ lines, style }) => heightOf(lines, style) + gap))
    const height = Math.max(...heights.map(sum))
    if (y + height > bottom) {
      nextPage()
      onNewPage?.()
    }
    for (const [index, { x, width, texts }] of wrapped.entries())
      for (const [place, { tag, lines, style }] of texts.entries()) {
        const element = doc.struct(tag, tag === 'TH' ? ({ scope: 'Column' } as object) : {})
        const top = y + sum(heights[index]?.slice(0, place) ?? [])
        parent.add(element)
        element.add(() => draw(lines, x, top, width, style))
        element.end()
      }
    y += height
  }

  /** Texts below one another, or columns of such. */
  const texts = (...columns: readonly (readonly Text[])[]): void => {
    const width = contentWidth / columns.length
    row(
      root,
      columns.map((some, index) => ({ texts: some, x: margin + index * width, width: width - gap })),
    )
  }

  /** A table whose head is repeated on each page. The last row is a sum where `hasSum`. */
  const table = (
    columns: readonly Column[],
    rows: readonly (readonly string[])[],
    hasSum: boolean,
    size: number,
  ): void => {
    const element = doc.struct('Table')
    root.add(element)
    const cellsOf = (some: readonly string[], tag: 'TH' | 'TD', weight: Weight): Cell[] =>
      columns.map(({ width, align = 'left' }, index) => ({
        texts: [{ tag, text: some[index] ?? '', style: { size, weight, align } }],
        x: margin + sum(columns.slice(0, index).map((column) => column.width)),
        width: width - gap,
      }))
    const heads = cellsOf(
      columns.map(({ head }) => head),
      'TH',
      700,
    )
    const ruled = (): void => {
      rule()
      y += gap
    }
    const repeatHead = (): void => {
      const style = { size, weight: 700 } as const
      const lines = columns.map(({ head, width }) => wrap(head, style, width - gap))
      artifact('Pagination', () => {
        for (const [index, { x, width, texts }] of heads.entries())
          draw(lines[index] ?? [], x, y, width, texts[0]?.style ?? style)
      })
      y += Math.max(...lines.map((some) => heightOf(some, style))) + gap
      ruled()
    }
    const write = (cells: readonly Cell[], onNewPage?: () => void): void => {
      const tr = doc.struct('TR')
      element.add(tr)
      row(tr, cells, onNewPage)
      tr.end()
    }
    write(heads)
    ruled()
    for (const [index, some] of rows.entries()) {
      const isSum = hasSum && index === rows.length - 1
      if (isSum) ruled()
      write(cellsOf(some, 'TD', isSum ? 700 : 400), repeatHead)
    }
    element.end()
  }

  const space = (points: number): void => {
    y += points
  }

  /** Writes a line at the foot of each page, and gives the document. */
  const finish = async (foot: (page: number, pages: number) => string): Promise<Buffer> => {
    root.end()
    const { start, count } = doc.bufferedPageRange()
    const style = { size: 8, weight: 400, align: 'right' } as const
    for (let page = start; page < start + count; page += 1) {
      doc.switchToPage(page)
      artifact('Pagination', () => draw([foot(page + 1, count)], margin, bottom + 25, contentWidth, style))
    }
    doc.end()
    await ended
    return Buffer.concat(chunks)
  }

  return { texts, table, space, finish }
}
