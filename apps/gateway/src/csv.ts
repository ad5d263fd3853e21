/** What a spreadsheet would take for a formula. */
const formula = /^[=+\-@\t\r]/

/** A number is never taken for one, so a negative amount stays what it is. */
const cell = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') return String(value)
  const text = formula.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A record as RFC 4180 has it, with its end. */
export const csvRecord = (values: readonly unknown[]): string => `${values.map(cell).join()}\r\n`
