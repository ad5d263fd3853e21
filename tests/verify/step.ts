/** What it prints: how long each step of a verification took. */
export const step = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
  const began = Date.now()
  const result = await work()
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${what}`)
  return result
}
