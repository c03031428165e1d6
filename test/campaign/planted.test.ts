/** The bugs that `npm run campaign -- --planted` plants can still be planted. */
import { expect, it } from 'vitest'
import { placesOf, plantedBugs } from './planted.ts'

it.each(plantedBugs)('against "$breaks" there is one place for a bug', (bug) => {
  expect(placesOf(bug)).toBe(1)
})
