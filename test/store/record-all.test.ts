/** Arrivals that are recorded together leave the rows that they leave one after the other. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, recordAll } from '../../src/store/sqlite/record-all.ts'
import { openSession, type Session } from '../../src/store/sqlite/session.ts'
import { executeWrites } from '../../src/store/sqlite/writer.ts'
import { arrivalOf, restOrigin } from '../support/arrivals.ts'

const tables = ['resource', 'origin', 'series_origin', 'instance', 'window', 'change', 'trash']

function withSession<T>(use: (session: Session, folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'onstable-test-'))
  const file = join(folder, 'index.sqlite')
  const session = openSession({ file, readonly: false, reach: () => {}, clock: () => 0 })
  try {
    return use(session, folder)
  } finally {
    session.database.close()
    rmSync(folder, { recursive: true })
  }
}

/** All rows; when a window is next looked at may differ, as long as that is not after it is due. */
function rowsOf({ database }: Session) {
  return tables.map((table) =>
    (database.prepare(`select * from ${table}`).all() as Record<string, unknown>[]).map(
      ({ check_at: _, ...row }) => row,
    ),
  )
}

const arrival = fc.record({
  patient: fc.constantFrom('P', 'Q'),
  study: fc.constantFrom('S', 'T'),
  series: fc.constantFrom('A', 'B'),
  instance: fc.constantFrom('1', '2', '3', '4'),
  place: fc.constantFrom(1, 2, 3),
  expected: fc.constantFrom(undefined, 2, 3),
  ageMs: fc.constantFrom(500, 1_000, 2_000),
  maxWaitMs: fc.constantFrom(undefined, 700, 5_000),
  origin: fc.constantFrom(restOrigin, { ...restOrigin, remoteAet: 'CT1' }),
  whenHeld: fc.constantFrom('keep', 'replace'),
})
const steps = fc.array(fc.record({ facts: arrival, laterMs: fc.constantFrom(0, 0, 1, 50) }), {
  minLength: 1,
  maxLength: 25,
})

function entriesOf(chosen: { facts: Parameters<typeof arrivalOf>[0]; laterMs: number }[]): Entry[] {
  let atMs = 1_000
  return chosen.map(({ facts, laterMs }, index) => {
    atMs += laterMs
    // A patient of two studies, and a study of one patient.
    const { content, ...rest } = arrivalOf({ ...facts, study: `${facts.patient}${facts.study}` })
    return { arrivalJson: JSON.stringify(rest), content, number: index + 1, atMs, isOwed: false }
  })
}

test('together or one by one, the rows are the same', () => {
  fc.assert(
    fc.property(steps, (chosen) => {
      const entries = entriesOf(chosen as Parameters<typeof entriesOf>[0])
      withSession((together) =>
        withSession((single) => {
          const results = recordAll(together, entries)
          expect(results).toEqual(entries.flatMap((entry) => recordAll(single, [entry])))
          expect(rowsOf(together)).toEqual(rowsOf(single))
          const late = together.database
            .prepare(
              'select * from window where check_at > min(last_at + age_ms, opened_at + coalesce(max_wait_ms, 1e9))',
            )
            .all()
          expect(late).toEqual([])
        }),
      )
    }),
    { numRuns: 60 },
  )
})

test('one that cannot be recorded is refused alone; the others are recorded, and none twice', () => {
  withSession((session, folder) => {
    const good = entriesOf([1, 2, 3].map((n) => ({ facts: { instance: String(n) }, laterMs: 5 })))
    // A file below a file cannot be made.
    const content = { path: join(folder, 'index.sqlite', 'file'), bytes: Buffer.from('x') }
    const written = { path: join(folder, 'written'), bytes: Buffer.from('y') }
    const entries = [{ ...good[0]!, content: written }, { ...good[1]!, content }, good[2]!]
    const requests = [{ id: 1, body: { name: 'recordAll' as const, parameters: [entries, false] } }]
    const [reply] = executeWrites(session, requests)
    expect(reply).toMatchObject({ ok: true, value: [{ ok: true }, { ok: false }, { ok: true }] })
    expect(readFileSync(written.path, 'utf8')).toBe('y')
    const rows = session.database.prepare('select public_id, received_at from instance').all()
    expect(rows).toHaveLength(2)
    expect(rows.map((row) => (row as { received_at: number }).received_at)).toEqual([1_005, 1_015])
    const series = session.database.prepare('select max(instance_count) as count from resource').get()
    expect(series).toEqual({ count: 2 })
  })
})
