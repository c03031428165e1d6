/** The checker finds whatever fires wrongly or not at all. */
import { describe } from 'vitest'
import { broken, drop, itFinds, pick } from '../broken-worlds.ts'
import { type SmallWorld, tellAgain } from '../small-world.ts'

/** The change with that number. */
const change = ({ seen }: SmallWorld, seq: number) => seen.database.changes[seq - 1]!

function fireAt({ seen }: SmallWorld, fromMs: number, atMs: number): void {
  for (const each of seen.database.changes) if (each.at === fromMs) each.at = atMs
}

describe('a quiet period', () => {
  itFinds([
    broken(
      'fires',
      (world) => {
        const { database } = world.seen
        database.changes.splice(20, 3)
        world.history.effects.pop()
        for (const row of database.resources) row.revision = 1
        tellAgain(world)
      },
      ...[/Series .* never became stable/, /Study .* never became stable/, /Patient .* never became stable/],
    ),
    broken(
      'fires once',
      (world) => {
        const { database } = world.seen
        database.changes.push({ ...change(world, 23), seq: 24, at: 8_500 })
        pick(database.resources, ({ level }) => level === 'Patient').revision = 3
        tellAgain(world)
      },
      /StablePatient .* fired twice for one quiet period/,
    ),
    broken(
      'does not fire early by the clock of the log',
      (world) => fireAt(world, 7_010, 6_990),
      ...[/StableSeries .* 13 ms early/, /StableStudy .* 13 ms early/, /StablePatient .* 13 ms early/],
    ),
    broken(
      'does not fire early by the clock of the client',
      (world) => {
        change(world, 20).at = 5_900
        fireAt(world, 7_010, 6_905)
      },
      /was recorded when nobody waited for it/,
      ...Array.from({ length: 3 }, () => /fired less than its age after an instance was sent/),
    ),
    broken(
      'is observed anew after a start',
      ({ history }) => Object.assign(history.lives[1]!, { spawnedAtMs: 2_100, readyAtMs: 2_150 }),
      ...Array.from({ length: 6 }, () => /fired 900 ms after the server was started/),
    ),
    broken(
      'is observed anew after the server stood still',
      ({ history }) => history.stops.push({ fromMs: 4_300, toMs: 6_900 }),
      ...Array.from({ length: 3 }, () => /fired 110 ms after the server had stood still/),
    ),
    broken(
      'fires after those below it',
      (world) => {
        const { changes } = world.seen.database
        changes.push(...changes.splice(20, 2))
        tellAgain(world)
        world.history.effects[2]!.seq = 23
      },
      ...[/StablePatient .* before a Series below it/, /StablePatient .* before a Study below it/],
    ),
    broken(
      'of a silence that lasted fires in it',
      (world) => {
        const { Series, Study } = world.uploads.d.ids
        for (const id of [Series, Study])
          drop(world.seen.database.changes, (row) => row.type.startsWith('Stable') && row.id === id)
        Object.assign(world.history.deletions[0]!.attempts[0]!, { sentAtMs: 6_100, endedAtMs: 6_110 })
        tellAgain(world)
        for (const effect of world.history.effects) effect.seq -= effect.revision
      },
      ...[/StablePatient .* before a Series below it/, /StablePatient .* before a Study below it/],
      ...[/Study .* was quiet for 4100 ms/, /Series .* was quiet for 4100 ms/],
    ),
    broken(
      'is counted by the revision',
      ({ seen }) => (seen.database.resources[0]!.revision = 5),
      /Patient .* is at revision 5 and was stable 2 times/,
    ),
    broken('leaves no window', ({ seen }) => (seen.database.openWindows = 1), /1 windows are open/),
    broken(
      'shows as over',
      ({ seen, uploads }) => seen.rest.parents.set(uploads.a.ids.Study, false),
      /shows as unstable/,
    ),
  ])
})
