/** What a tick may fire that had to wait for its turn on the thread that writes. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { crashPointReacher } from '../../src/lib/crash-point.ts'
import { changes } from '../../src/store/sqlite/changes.ts'
import { record } from '../../src/store/sqlite/record.ts'
import { openSession } from '../../src/store/sqlite/session.ts'
import { tick } from '../../src/store/sqlite/tick.ts'
import { Touched } from '../../src/store/sqlite/touched.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'

it('a tick fires what was due when all that was accepted before had its rows, and says so', () => {
  using folder = memoryFolder()
  const startMs = 1_800_000_000_000
  const session = openSession({
    file: join(folder.path, 'index.sqlite'),
    readonly: false,
    reach: crashPointReacher(null),
    clock: () => startMs,
  })
  const at = (afterMs: number) => {
    session.nowMs = startMs + afterMs
  }
  at(0)
  tick(session, startMs)
  const touched = new Touched(session)
  record(session, arrivalOf({ instance: '1', ageMs: 1_000 }), touched)
  touched.write()

  // Something may have been accepted at 999, and has no rows yet.
  at(1_500)
  expect(tick(session, startMs + 998)).toEqual({ fired: 0, nextCheckInMs: 0 })
  at(1_600)
  expect(tick(session, startMs + 1_001)).toMatchObject({ fired: 3 })
  const { changes: log } = changes(session, { limit: 10, types: ['StableStudy'] })
  expect(log.map(({ atMs }) => atMs - startMs)).toEqual([1_001])
  session.database.close()
})
