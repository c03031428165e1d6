/** The stores on SQLite and on PostgreSQL say the same of the same calls, whatever these are and in whatever order. */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { everyChange, openSqlite, type Store } from '../../src/store/store.ts'
import { memoryFolder } from '../support/folders.ts'
import { addressOf, dropSchema, freshSchema, hasPostgres, resetSchema } from '../support/postgres.ts'
import { commands, perform, type Side } from './same.commands.ts'

const schema = freshSchema()
let isMade = false

async function openBoth(): Promise<{ sides: [Side, Side] } & AsyncDisposable> {
  if (isMade) await resetSchema(schema)
  isMade = true
  const folder = memoryFolder()
  const side = async (open: (clock: () => number) => Promise<Store>): Promise<Side> => {
    const clock = { nowMs: 1_800_000_000_000 }
    return { store: await open(() => clock.nowMs), clock, leases: [] }
  }
  const sides: [Side, Side] = [
    await side((clock) => openSqlite({ folder: folder.path, clock })),
    await side((clock) => openPostgres({ url: addressOf(schema), node: 'one', clock })),
  ]
  return {
    sides,
    async [Symbol.asyncDispose]() {
      for (const { store } of sides) await store.close()
      folder[Symbol.dispose]()
    },
  }
}

const byId = <Row extends { id: string | number }>(rows: readonly Row[]) =>
  rows.toSorted((left, right) => (left.id < right.id ? -1 : 1))

/** All that can be asked. The numbers of runs that nobody saw end are each store's own. */
async function stateOf({ store }: Side): Promise<object> {
  const runs = await store.runs({ limit: 1_000 })
  const levels = ['Patient', 'Study', 'Series', 'Instance'] as const
  return {
    changes: await store.changes({ limit: 1_000, types: everyChange }),
    page: await store.changes({ since: 3, to: 9, limit: 3 }),
    windows: byId(await store.windows(100)),
    backlog: await store.backlog(),
    deliveries: await store.deliveries({ limit: 1_000 }),
    runs: runs.map(({ id: _, ...run }) => JSON.stringify(run)).sort(),
    scripts: await store.scripts(),
    memory: await store.keyValueList('s', { prefix: '', after: '', limit: 100, mostBytes: 1_000 }),
    memoryBytes: await store.keyValueBytes('s'),
    sizes: [(await store.logSize()).changes, (await store.runsSize()).runs],
    stragglers: await store.stragglers(3),
    statistics: await store.statistics(),
    resources: await Promise.all(
      levels.map(async (level) => store.findAll(level, await store.list(level, null))),
    ),
  }
}

describe.skipIf(!hasPostgres)('on PostgreSQL (needs a server on 127.0.0.1:5432)', () => {
  afterAll(() => dropSchema(schema))

  it('all is as on SQLite', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        await using both = await openBoth()
        for (const [at, step] of steps.entries()) {
          const [first, second] = await Promise.all(
            both.sides.map((side) => perform(side, step, `file ${at}`).then((said) => said ?? null)),
          )
          expect(second).toEqual(first)
          if (at % 10 !== 9 && at !== steps.length - 1) continue
          const [mine, theirs] = await Promise.all(both.sides.map(stateOf))
          expect(theirs).toEqual(mine)
        }
      }),
      { numRuns: 30, seed: 20_261_128 },
    )
  })
})
