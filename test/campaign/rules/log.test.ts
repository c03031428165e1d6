/** The checker finds whatever is wrong with the log. */
import { describe } from 'vitest'
import { broken, itFinds } from '../broken-worlds.ts'
import type { SmallWorld } from '../small-world.ts'

/** The change with that number. */
const change = ({ seen }: SmallWorld, seq: number) => seen.database.changes[seq - 1]!

describe('the log', () => {
  itFinds([
    broken(
      'ends with the last number that was given',
      ({ seen: { database } }) => {
        database.lastSeq = 24
        for (const script of database.scripts) script.cursor = 24
      },
      /ends before its last number, 24/,
    ),
    broken(
      'has no gap in its numbers',
      (world) => {
        const { database } = world.seen
        for (const item of [change(world, 23), ...database.runs.filter(({ seq }) => seq === 23)])
          item.seq = 24
        database.lastSeq = 24
        for (const script of database.scripts) script.cursor = 24
      },
      /has number 24 at place 23/,
    ),
    broken(
      'does not go back in time',
      (world) => (change(world, 22).at -= 1),
      /Change 22 is older than the one before it/,
    ),
    broken(
      'is shown as it is',
      ({ seen }) => seen.rest.changes.pop(),
      /differs from the log at its place 20/,
    ),
    broken(
      'tells once of everything that came',
      (world) => (change(world, 6).id = world.uploads.a.ids.Series),
      /has no NewSeries/,
      /has NewSeries .* 2 times/,
    ),
    broken(
      'tells of nothing that never came',
      (world) => (change(world, 6).id = 'stranger'),
      /Change 6, NewSeries, is about what was never sent/,
      /has no NewSeries/,
    ),
    broken(
      'has no changes of which nothing here is the reason',
      (world) => (change(world, 6).type = 'CompletedSeries'),
      /Change 6, CompletedSeries, is of a type that nothing here makes/,
      /has no NewSeries/,
    ),
    broken(
      'names the key of each change',
      (world) => (change(world, 14).key = world.uploads.d.ids.Study),
      /Change 14, StableStudy, has the key of another resource/,
    ),
    broken(
      'tells once of everything that was deleted',
      (world) =>
        Object.assign(change(world, 18), { type: 'DeletedInstance', id: world.uploads.d.ids.Instance }),
      /Change 18, DeletedInstance, is about what was deleted before/,
      /has no DeletedSeries/,
      /has DeletedInstance .* 2 times/,
    ),
    broken(
      'tells of no deletion that nobody asked for',
      (world) => {
        const { Instance: id, Study: key } = world.uploads.b.ids
        Object.assign(change(world, 17), { id, key })
      },
      /has no DeletedInstance/,
      /was deleted and nobody asked for it/,
    ),
    broken(
      'has an instance at a moment at which its sender waited',
      (world) => (change(world, 20).at = 5_900),
      /was recorded when nobody waited for it/,
    ),
  ])
})
