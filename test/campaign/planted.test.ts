/** The bugs that `npm run campaign -- --planted` plants can still be planted. */
import { expect, it } from 'vitest'
import { placesOf, plantedBugs, plantedClusterBugs } from './planted.ts'

it.each([...plantedBugs, ...plantedClusterBugs])('against "$breaks" there is one place for a bug', (bug) => {
  expect(placesOf(bug)).toBe(1)
})
