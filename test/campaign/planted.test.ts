/** The bugs that `npm run campaign -- --planted` plants can still be planted. */
import { expect, it } from 'vitest'
import { placesOf } from './planted.ts'
import { plantedBrokerBugs, plantedBugs, plantedClusterBugs } from './planted-bugs.ts'

it.each([...plantedBugs, ...plantedClusterBugs, ...plantedBrokerBugs])(
  'against "$breaks" there is one place for a bug',
  (bug) => {
    expect(placesOf(bug)).toBe(1)
  },
)
