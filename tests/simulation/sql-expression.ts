import type { Env, Expression, Value } from './sql-syntax.ts'
import type { TokenReader } from './sql-tokens.ts'
import {
  aggregates,
  comparisons,
  equal,
  functions,
  isTrue,
  numbers,
  toValue,
  truth,
  unitMs,
} from './sql-values.ts'

const column =
  (name: string): Expression =>
  (env) => {
    for (let scope = env.scope; scope; scope = scope.outer) {
      const value = scope.values[name]
      if (value !== undefined) return value
    }
    throw new Error(`no column ${name}`)
  }

const columnOf =
  (alias: string, name: string): Expression =>
  (env) => {
    for (let scope = env.scope; scope; scope = scope.outer) {
      if (scope.alias !== alias) continue
      const value = scope.values[name]
      if (value !== undefined) return value
    }
    throw new Error(`no column ${alias}.${name}`)
  }

const list = (reader: TokenReader): Expression[] => {
  const items: Expression[] = []
  reader.expect('(')
  if (reader.accept(')')) return items
  do items.push(parseExpression(reader))
  while (reader.accept(','))
  reader.expect(')')
  return items
}

/** `IN (?)` with an array stands for as many items. */
const memberOf = (reader: TokenReader): ((env: Env) => Value[]) => {
  const items = list(reader)
  return (env) => items.flatMap((item) => item(env) as Value | Value[])
}

const chooseCase = (reader: TokenReader): Expression => {
  const subject = reader.is('WHEN') ? undefined : parseExpression(reader)
  const branches: [Expression, Expression][] = []
  while (reader.accept('WHEN')) {
    const when = parseExpression(reader)
    reader.expect('THEN')
    branches.push([when, parseExpression(reader)])
  }
  const otherwise = reader.accept('ELSE') ? parseExpression(reader) : () => null
  reader.expect('END')
  return (env) => {
    const value = subject?.(env)
    for (const [when, then] of branches) {
      const match = when(env)
      if (value === undefined ? isTrue(match) : match !== null && equal(value, match)) return then(env)
    }
    return otherwise(env)
  }
}

const call = (name: string, reader: TokenReader): Expression => {
  if (name === 'VALUES') {
    reader.expect('(')
    const field = reader.name()
    reader.expect(')')
    return (env) => env.refused?.[field] ?? null
  }
  if (name === 'TIMESTAMPDIFF') {
    reader.expect('(')
    const unit = unitMs[reader.word()] as number
    reader.expect(',')
    const from = parseExpression(reader)
    reader.expect(',')
    const to = parseExpression(reader)
    reader.expect(')')
    return (env) => {
      const [start, end] = [from(env), to(env)]
      return start === null || end === null ? null : Math.trunc(((end as number) - (start as number)) / unit)
    }
  }
  const aggregate = aggregates[name]
  if (aggregate) {
    reader.aggregated = true
    reader.expect('(')
    const of = reader.accept('*') ? () => 1 : parseExpression(reader)
    reader.expect(')')
    return (env) => aggregate((env.group ?? []).map((scope) => of({ ...env, scope })))
  }
  const apply = functions[name]
  if (!apply) throw reader.error(`no function ${name}`)
  const args = list(reader)
  return (env) =>
    apply(
      args.map((arg) => arg(env)),
      env,
    )
}

const primary = (reader: TokenReader): Expression => {
  if (reader.accept('(')) {
    if (reader.is('SELECT')) {
      const select = reader.select()
      reader.expect(')')
      return (env) => env.value(select, env)
    }
    const inner = parseExpression(reader)
    reader.expect(')')
    return inner
  }
  if (reader.accept('?')) {
    const index = reader.nextParameter()
    return (env) => toValue(env.params[index])
  }
  if (reader.accept('-')) {
    const operand = primary(reader)
    return (env) => {
      const value = operand(env)
      return value === null ? null : -Number(value)
    }
  }
  const literal = reader.literal()
  if (literal !== undefined) return () => literal
  if (reader.accept('NULL')) return () => null
  if (reader.accept('TRUE')) return () => 1
  if (reader.accept('FALSE')) return () => 0
  if (reader.accept('CASE')) return chooseCase(reader)
  if (reader.accept('EXISTS')) {
    reader.expect('(')
    const select = reader.select()
    reader.expect(')')
    return (env) => truth(env.exists(select, env))
  }
  const name = reader.name()
  if (reader.is('(')) return call(name.toUpperCase(), reader)
  return reader.accept('.') ? columnOf(name, reader.name()) : column(name)
}

const product = (reader: TokenReader): Expression => {
  let left = primary(reader)
  for (;;) {
    const operator = reader.acceptOneOf('*', '/')
    if (!operator) return left
    const [a, b] = [left, primary(reader)]
    left = (env) => numbers((x, y) => (operator === '*' ? x * y : x / y))([a(env), b(env)], env)
  }
}

const sum = (reader: TokenReader): Expression => {
  let left = product(reader)
  for (;;) {
    const operator = reader.acceptOneOf('+', '-')
    if (!operator) return left
    const sign = operator === '+' ? 1 : -1
    const a = left
    if (reader.accept('INTERVAL')) {
      const length = primary(reader)
      const unit = unitMs[reader.word()] as number
      left = (env) => {
        const from = a(env)
        const by = length(env)
        return from === null || by === null
          ? null
          : new Date(Math.round(Number(from) + sign * Number(by) * unit))
      }
    } else {
      const b = product(reader)
      left = (env) => numbers((x, y) => x + sign * y)([a(env), b(env)], env)
    }
  }
}

const comparison = (reader: TokenReader): Expression => {
  const left = sum(reader)
  if (reader.accept('IS')) {
    const negated = reader.accept('NOT')
    reader.expect('NULL')
    return (env) => truth((left(env) === null) !== negated)
  }
  const negated = reader.accept('NOT')
  if (reader.accept('IN')) {
    const members = memberOf(reader)
    return (env) => {
      const value = left(env)
      if (value === null) return null
      return truth(members(env).some((member) => member !== null && equal(value, member)) !== negated)
    }
  }
  if (negated) throw reader.error('NOT of what?')
  const operator = reader.acceptOneOf('<=', '>=', '<>', '=', '<', '>')
  if (!operator) return left
  const right = sum(reader)
  const holds = comparisons[operator] as (a: Value, b: Value) => boolean
  return (env) => {
    const [a, b] = [left(env), right(env)]
    return a === null || b === null ? null : truth(holds(a, b))
  }
}

const negation = (reader: TokenReader): Expression => {
  if (!reader.accept('NOT')) return comparison(reader)
  const operand = negation(reader)
  return (env) => {
    const value = operand(env)
    return value === null ? null : truth(!isTrue(value))
  }
}

const conjunction = (reader: TokenReader): Expression => {
  const left = negation(reader)
  if (!reader.accept('AND')) return left
  const right = conjunction(reader)
  return (env) => {
    const a = left(env)
    if (a !== null && !isTrue(a)) return 0
    const b = right(env)
    if (b !== null && !isTrue(b)) return 0
    return a === null || b === null ? null : 1
  }
}

/** Reads one expression, with MySQL's precedence of operators. */
export const parseExpression = (reader: TokenReader): Expression => {
  const left = conjunction(reader)
  if (!reader.accept('OR')) return left
  const right = parseExpression(reader)
  return (env) => {
    const a = left(env)
    if (a !== null && isTrue(a)) return 1
    const b = right(env)
    if (b !== null && isTrue(b)) return 1
    return a === null || b === null ? null : 0
  }
}
