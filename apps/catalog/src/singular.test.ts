import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { singular } from './singular.ts'

/** Of what a shop sells, with every way of the language to make a plural. */
const words =
  `cup cups, teapot teapots, kettle kettles, pass passes, glass glasses, dress dresses, box boxes, axe axes,
  brush brushes, dish dishes, watch watches, torch torches, bench benches, niche niches, cache caches, vase vases, case cases,
  purse purses, horse horses, house houses, blouse blouses, mouse mice, bus buses, bonus bonuses, gas gases, lens lenses,
  canvas canvases, atlas atlases, iris irises, trellis trellises, basis bases, oasis oases, size sizes, quiz quizzes,
  topaz topazes, waltz waltzes, berry berries, cherry cherries, battery batteries, cookie cookies, movie movies, selfie selfies,
  pie pies, tie ties, toy toys, key keys, tray trays, sky skies, potato potatoes, tomato tomatoes, mango mangoes, mango mangos,
  hero heroes, photo photos, piano pianos, shoe shoes, horseshoe horseshoes, canoe canoes, toe toes, studio studios,
  knife knives, wife wives, leaf leaves, loaf loaves, shelf shelves, bookshelf bookshelves, scarf scarves, scarf scarfs,
  half halves, wolf wolves, elf elves, hoof hooves, olive olives, glove gloves, sleeve sleeves, stove stoves, roof roofs,
  cafe cafes, man men, woman women, child children, foot feet, tooth teeth, goose geese, person people, snowman snowmen,
  specimen specimens, cactus cacti, cactus cactuses, menu menus, taxi taxis, ski skis, kiwi kiwis, bikini bikinis, sofa sofas,
  camera cameras, umbrella umbrellas, tea teas, tv tvs, dvd dvds, kit kits, kite kites, cap caps, cape capes, tub tubs,
  tube tubes, pan pans, pane panes, cube cubes, rose roses, nose noses, noise noises, exercise exercises, sense senses,
  nurse nurses, christmas christmases, virus viruses, fuse fuses, address addresses, mattress mattresses, class classes,
  fox foxes, sandwich sandwiches, lunch lunches, headache headaches, prize prizes, maze mazes, glaze glazes, dwarf dwarves`
    .split(',')
    .map((pair) => pair.trim().split(' ') as [string, string])

test('a word and its plural become the same', () => {
  for (const [one, many] of words) assert.equal(singular(many), singular(one), `${one}, ${many}`)
})

test('words that are not one another’s plural stay apart', () => {
  const keys = new Map<string, string>()
  for (const [one] of words) {
    const key = singular(one)
    assert.equal(keys.get(key) ?? one, one, `${one} and ${keys.get(key)} become ${key}`)
    keys.set(key, one)
  }
})

test('what comes out stays as it is, and ends', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'aeiousxzchvfybl'), minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(letters, (word) => {
      assert.equal(singular(singular(word)), singular(word))
    }),
    { numRuns: 20_000 },
  )
  for (const word of words.flat()) assert.equal(singular(singular(word)), singular(word))
})

test('what is no word of a-z is left alone', () => {
  for (const word of ['500ml', '1980s', 'дома', '茶']) assert.equal(singular(word), word)
})
