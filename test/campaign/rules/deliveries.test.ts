/** The checker finds whatever is wrong with what the scripts were told. */
import { describe } from 'vitest'
import { broken, drop, itFinds, pick } from '../broken-worlds.ts'
import { recordScript, rejectScript, reportScript } from '../scripts.ts'
import type { SmallWorld } from '../small-world.ts'

const runOf = ({ seen }: SmallWorld, script: string, seq: number) =>
  pick(seen.database.runs, (run) => run.script === script && run.seq === seq)

describe('a delivery', () => {
  itFinds([
    broken(
      'is made of every change that a script asks for',
      ({ seen }) => drop(seen.database.runs, ({ script, seq }) => script === recordScript && seq === 5),
      /record.js:onStoredInstance of change 5 never ended/,
    ),
    broken(
      'ends once',
      (world) => {
        const run = runOf(world, recordScript, 5)
        world.seen.database.runs.splice(run.order, 0, { ...run })
      },
      /record.js:onStoredInstance of change 5 ended 2 times/,
    ),
    broken(
      'is not run again after its end',
      (world) => {
        const run = runOf(world, recordScript, 5)
        world.seen.database.runs.splice(run.order, 0, { ...run, outcome: 'threw' })
      },
      /of change 5 was run again after it had ended/,
    ),
    broken(
      'does not hang half done',
      ({ seen: { database } }) => {
        const { script, callback, seq } = drop(
          database.runs,
          (run) => run.script === recordScript && run.seq === 5,
        )
        database.deliveries.push({ script, callback, seq, state: 'leased' })
      },
      /of change 5 has not ended, it is leased/,
    ),
    broken(
      'is set aside only if it fails always',
      (world) => {
        const run = runOf(world, recordScript, 5)
        run.outcome = 'threw'
        world.seen.database.deliveries.push({ ...run, state: 'dead' })
      },
      /of change 5 was set aside/,
    ),
    broken(
      'is set aside if it fails always',
      (world) => {
        drop(world.seen.database.deliveries, ({ seq }) => seq === 12)
        const runs = world.seen.database.runs.filter(
          ({ script, seq }) => script === rejectScript && seq === 12,
        )
        runs.at(-1)!.outcome = 'ok'
      },
      /reject.js:onStableSeries of change 12 ended well, and it always fails/,
    ),
    broken(
      'is skipped only if its resource was deleted',
      (world) => (runOf(world, reportScript, 22).outcome = 'skipped'),
      /of change 22 was skipped, and nothing was deleted/,
    ),
    broken(
      'is owed to somebody',
      ({ seen: { database } }) =>
        database.runs.unshift({
          ...database.runs[0]!,
          script: reportScript,
          callback: 'onStableStudy',
          seq: 5,
        }),
      /report.js:onStableStudy of change 5 was owed to nobody/,
    ),
    broken(
      'is made of the whole log',
      ({ seen }) => (pick(seen.database.scripts, ({ name }) => name === recordScript).cursor = 20),
      /record.js has been served up to 20 of 23/,
    ),
    broken(
      'does not come before an earlier one of its key',
      ({ seen: { database } }) => {
        const later = drop(database.runs, ({ script, seq }) => script === recordScript && seq === 22)
        const place = database.runs.findIndex(({ script, seq }) => script === recordScript && seq === 21)
        database.runs.splice(place, 0, later)
      },
      /record.js for .* was told of change 21 after 22/,
    ),
  ])
})
