import type { Env, Value } from './sql-syntax.ts'

export const isTrue = (value: Value): boolean => value !== null && value !== 0 && value !== ''

/** What a driver makes of a JavaScript value. */
export const toValue = (given: unknown): Value => {
  if (given === undefined) throw new Error('undefined is no value for SQL')
  if (typeof given === 'boolean') return given ? 1 : 0
  return given as Value
}

export const truth = (value: boolean): Value => (value ? 1 : 0)
const scalar = (value: Value): string | number | null => (value instanceof Date ? value.getTime() : value)

export const equal = (a: Value, b: Value): boolean => {
  const [left, right] = [scalar(a), scalar(b)]
  return typeof left === typeof right ? left === right : String(left) === String(right)
}

/** In the order of ORDER BY: NULL first. */
export const compare = (a: Value, b: Value): number => {
  const [left, right] = [scalar(a), scalar(b)]
  if (left === null || right === null) return left === right ? 0 : left === null ? -1 : 1
  return left < right ? -1 : left > right ? 1 : 0
}

export const comparisons: Record<string, (a: Value, b: Value) => boolean> = {
  '=': equal,
  '<>': (a, b) => !equal(a, b),
  '<': (a, b) => compare(a, b) < 0,
  '<=': (a, b) => compare(a, b) <= 0,
  '>': (a, b) => compare(a, b) > 0,
  '>=': (a, b) => compare(a, b) >= 0,
}

export const unitMs: Record<string, number> = {
  MICROSECOND: 0.001,
  SECOND: 1000,
  MINUTE: 60e3,
  HOUR: 3600e3,
  DAY: 864e5,
}

type Apply = (args: Value[], env: Env) => Value
export const numbers =
  (compute: (...args: number[]) => number): Apply =>
  (args) =>
    args.includes(null) ? null : compute(...(args as number[]))

export const functions: Record<string, Apply> = {
  NOW: (_, env) => new Date(env.now),
  CURRENT_TIMESTAMP: (_, env) => new Date(env.now),
  LEAST: numbers(Math.min),
  GREATEST: numbers(Math.max),
  POW: numbers((base, power) => Number(base) ** Number(power)),
  LOWER: ([text = null]) => (text === null ? null : String(text).toLowerCase()),
  COALESCE: (args) => args.find((value) => value !== null) ?? null,
}

export const aggregates: Record<string, (values: Value[]) => Value> = {
  COUNT: (values) => values.filter((value) => value !== null).length,
  MIN: (values) => values.filter((value) => value !== null).sort(compare)[0] ?? null,
  MAX: (values) =>
    values
      .filter((value) => value !== null)
      .sort(compare)
      .at(-1) ?? null,
  // A DECIMAL, which the driver gives as text.
  SUM: (values) =>
    values.length === 0 ? null : String(values.reduce((sum: number, value) => sum + Number(value), 0)),
}
