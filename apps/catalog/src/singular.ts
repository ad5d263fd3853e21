/** What no rule below would bring together, and words that only look like plurals. */
const irregular = new Map(
  `children child, feet foot, teeth tooth, geese goose, mice mouse, people person, oxen ox, dice die, men man, women woman,
  gentlemen gentleman, fishermen fisherman, sportsmen sportsman, craftsmen craftsman, snowmen snowman, milkmen milkman,
  cacti cactus, fungi fungus, octopi octopus, tvs tv, cds cd, pcs pc, menus menu, tutus tutu, gurus guru, emus emu,
  haikus haiku, taxis taxi, gas gase, bus buse, lens lense, canvas canvase, atlas atlase, alias aliase, bias biase, cosmos cosmose,
  christmas christmase, chaos chaose, tennis tennise, iris irise, trellis trellise, mantis mantise, clematis clematise,
  ibis ibise, debris debrise, news newse`
    .split(',')
    .map((pair) => pair.trim().split(' ') as [string, string]),
)

/** The first that fits is applied. */
const rules: readonly (readonly [plural: RegExp, singular: string])[] = [
  [/(kni|^wi|housewi|midwi|^li)ves$/, '$1fe'],
  [/(^lea|loa|shel|^hal|^cal|wol|scar|^thie|^el|sel|^hoo|dwar|whar|shea)ves$/, '$1f'],
  // Greek: basis and bases, axis and axes.
  [/(s|x)is$/, '$1e'],
  [/us$/, 'use'],
  [/(?<![su])s$/, ''],
  // Berries and cookies alike: whether it was y or ie, its plural does not tell.
  [/(..)ie$/, '$1y'],
  // Nor whether a word ended so without the e.
  [/(ss|x|ch|sh|z)e$/, '$1'],
  [/zz$/, 'z'],
  [/(..o)e$(?<!shoe|canoe|tiptoe|mistletoe)/, '$1'],
]

const step = (word: string): string => {
  const other = irregular.get(word)
  if (other) return other
  if (word.length < 4) return word
  for (const [plural, singular] of rules) if (plural.test(word)) return word.replace(plural, singular)
  return word
}

/**
 * An English word as what its singular and its plural have in common: mostly the singular, sometimes a form that is neither.
 * What it gives it leaves as it is. A word without a plural may lose an end that looks like one, in texts and queries alike.
 */
export const singular = (word: string): string => {
  if (!/^[a-z]+$/.test(word)) return word
  const next = step(word)
  return next === word ? word : singular(next)
}
