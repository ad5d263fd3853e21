import type { Select } from './sql-syntax.ts'

type Kind = 'word' | 'quoted' | 'text' | 'number' | 'sign'
interface Token {
  readonly kind: Kind
  readonly text: string
}

const pattern =
  /\s+|--[^\n]*|(?<quoted>`[^`]+`)|(?<text>'(?:[^']|'')*')|(?<number>\d+(?:\.\d+)?)|(?<word>[A-Za-z_]\w*)|(?<sign><=|>=|<>|!=|[-+*/=<>(),.?;])/y

const tokenise = (sql: string): Token[] => {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < sql.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(sql)
    if (!match) throw new Error(`not SQL that is known here: ${sql.slice(at, at + 40)}`)
    for (const [kind, text] of Object.entries(match.groups ?? {})) {
      if (text === undefined) continue
      if (kind === 'quoted') tokens.push({ kind, text: text.slice(1, -1) })
      else if (kind === 'text') tokens.push({ kind, text: text.slice(1, -1).replaceAll("''", "'") })
      else tokens.push({ kind: kind as Kind, text: text === '!=' ? '<>' : text })
    }
  }
  return tokens
}

/** Reads a statement word by word. Keywords are matched whatever their case. */
export const readTokens = (sql: string) => {
  const tokens = tokenise(sql)
  let at = 0
  let parameters = 0

  const error = (message: string) =>
    new Error(
      `${message}, at "${tokens
        .slice(at, at + 5)
        .map((token) => token.text)
        .join(' ')}" of ${sql}`,
    )
  const is = (text: string): boolean => {
    const token = tokens[at]
    return (
      token !== undefined &&
      (token.kind === 'word'
        ? token.text.toUpperCase() === text
        : token.kind === 'sign' && token.text === text)
    )
  }
  const accept = (...texts: string[]): boolean => {
    const start = at
    for (const text of texts) {
      if (!is(text)) {
        at = start
        return false
      }
      at += 1
    }
    return true
  }

  return {
    /** An aggregate function was read. */
    aggregated: false,
    error,
    is,
    /** Takes these keywords or signs when all of them come next. */
    accept,
    acceptOneOf: (...texts: string[]): string | undefined => texts.find((text) => accept(text)),
    expect: (...texts: string[]): void => {
      if (!accept(...texts)) throw error(`expected ${texts.join(' ')}`)
    },
    /** The next word in upper case. */
    word: (): string => {
      const token = tokens[at]
      if (token?.kind !== 'word') throw error('expected a word')
      at += 1
      return token.text.toUpperCase()
    },
    /** A name of a table, a column or a function. */
    name: (): string => {
      const token = tokens[at]
      if (token?.kind !== 'word' && token?.kind !== 'quoted') throw error('expected a name')
      at += 1
      return token.text
    },
    /** The text that was read last: what a column without AS is called. */
    lastName: (): string => tokens[at - 1]?.text ?? '',
    literal: (): string | number | undefined => {
      const token = tokens[at]
      if (token?.kind !== 'text' && token?.kind !== 'number') return undefined
      at += 1
      return token.kind === 'number' ? Number(token.text) : token.text
    },
    nextParameter: (): number => {
      parameters += 1
      return parameters - 1
    },
    /** Passes over a word or a sign, with all between it and its closing bracket. */
    skip: (): void => {
      if (!is('(')) {
        at += 1
        return
      }
      let depth = 0
      do {
        if (is('(')) depth += 1
        if (is(')')) depth -= 1
        at += 1
      } while (depth > 0 && at < tokens.length)
    },
    ended: (): boolean => at >= tokens.length,
  }
}

export type TokenReader = ReturnType<typeof readTokens> & {
  /** Reads a SELECT inside of an expression; given by who reads statements, which hold expressions in their turn. */
  readonly select: () => Select
}
