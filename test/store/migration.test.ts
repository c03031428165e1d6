/** A database of the format before is taken over with all that it knows. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { migrations } from '../../src/store/sqlite/schema.ts'
import { openSqlite, type RunRecord } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'

const { ids } = arrivalOf({ instance: '1' }).header
const event = JSON.stringify({ revision: 1, added: { instanceCount: 1 } })
const subscriptions = JSON.stringify([{ type: 'StableStudy', callback: 'onStableStudy' }])
const at = 1_800_000_000_000
const run: RunRecord = {
  ...{ version: 'v', outcome: 'ok', reason: null, attempts: 1, durationMs: 1, cpuMs: 1, memoryBytes: 1 },
  ...{ logs: '[]', hostCalls: '[]', event: null },
}

/** A study that was stable once, of which `told` was told and `owing` was not, and a run of it. */
function oldDatabase(folder: string): void {
  using closing = new DisposableStack()
  const database = closing.adopt(new Database(join(folder, 'index.sqlite')), (opened) => opened.close())
  for (const text of migrations.slice(0, 2)) database.exec(text)
  database.pragma('user_version = 2')
  const rows: [string, ...unknown[]][] = [
    [`insert into meta values ('epoch', 'old'), ('hidden', 0)`],
    [`insert into origin values (1, '{}')`],
    [
      `insert into resource (id, level, public_id, parent, tags, patient_tags, created_at, updated_at, revision, settled_instance, instance_count)
       values (1, 0, ?, null, '{"PatientID":"P"}', null, ${at}, ${at}, 0, 0, 0),
         (2, 1, ?, 1, '{"AccessionNumber":"A7"}', '{"PatientID":"P"}', ${at}, ${at}, 1, 1, 0),
         (3, 2, ?, 2, '{}', null, ${at}, ${at}, 0, 0, 1)`,
      ...[ids.patient, ids.study, ids.series],
    ],
    [`insert into instance values (1, ?, 3, '{}', 'file', 100, 'c', 't', null, ${at}, 1)`, ids.instance],
    [
      `insert into change (type, resource, public_id, key, at, event) values (5, 2, ?, ?, ${at}, ?)`,
      ...[ids.study, ids.study, event],
    ],
    [`insert into script_version values ('v', '', '', ${at})`],
    [
      `insert into script (id, name, state, cursor, version, subscriptions)
       values (1, 'told', 'active', 1, 'v', ?), (2, 'owing', 'active', 1, 'v', ?)`,
      ...[subscriptions, subscriptions],
    ],
    [
      `insert into delivery (script, callback, seq, key, state, run_at) values (2, 'onStableStudy', 1, ?, 0, ${at})`,
      ids.study,
    ],
    [
      `insert into run (delivery, script, callback, seq, level, public_id, attempt, version, outcome, ended_at,
         duration_ms, cpu_ms, memory_bytes, logs, host_calls)
       values (9, 'told', 'onStableStudy', 1, 1, ?, 1, 'v', 'ok', ${at}, 1, 1, 1, '[]', '[]')`,
      ids.study,
    ],
  ]
  for (const [text, ...values] of rows) database.prepare(text).run(...values)
}

test('what was finished before counts as finished, what is owed does not, and old runs are found', async () => {
  using folder = memoryFolder()
  oldDatabase(folder.path)
  let nowMs = at + 1_000
  await using store = await openSqlite({ folder: folder.path, clock: () => nowMs })
  expect(await store.runsToReplay({ patientId: 'P', limit: 5 })).toEqual([1])
  expect(await store.runsToReplay({ accessionNumber: 'A7', limit: 5 })).toEqual([1])
  for (const instance of ['2', '3']) await store.record(arrivalOf({ instance }))
  for (let n = 0; n < 40; n++) {
    await store.tick()
    nowMs += 500
  }
  const [late] = (await store.lease({ told: 9 }, 1_000)).leases
  expect(late!.late).toMatchObject({ revision: 2, sinceRevision: 1, addedCount: 2 })
  const [owed] = (await store.lease({ owing: 9 }, 1_000)).leases
  expect(owed!.late).toMatchObject({ revision: 1, sinceRevision: 0 })
  const { delivery, fence } = owed!
  await store.settle({ delivery, fence, next: 'done', delayMs: 0, run, keyValueWrites: [] })
  // How far the first went is not known any more: all is told rather than too little.
  const [next] = (await store.lease({ owing: 9 }, 1_000)).leases
  expect(next!.late).toMatchObject({ revision: 2, sinceRevision: 0, addedCount: 3 })
})
