/** The contract of the store on PostgreSQL, where one is found. */
import { afterAll, describe, expect, it } from 'vitest'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { heldElsewhere } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { addressOf, dropSchema, freshSchema, hasPostgres, resetSchema } from '../support/postgres.ts'
import { brokerCases } from './broker.cases.ts'
import { deliveryCases } from './delivery.cases.ts'
import { type StoreUnderTest, storeCases } from './store.cases.ts'

/** Made once, and emptied for each test: to make the tables and functions takes longer than most tests. */
const schema = freshSchema()
let isMade = false

async function open(): Promise<StoreUnderTest> {
  if (isMade) await resetSchema(schema)
  isMade = true
  let nowMs = 1_800_000_000_000
  const options = { url: addressOf(schema), node: 'one', clock: () => nowMs }
  const under = {
    store: await openPostgres(options),
    advance: (ms: number) => {
      nowMs += ms
    },
    reopen: async () => {
      await under.store.close()
      under.store = await openPostgres(options)
      return under.store
    },
    close: () => under.store.close(),
  }
  return under
}

describe.skipIf(!hasPostgres)('on PostgreSQL (needs a server on 127.0.0.1:5432)', () => {
  afterAll(() => dropSchema(schema))
  storeCases('PostgreSQL', open)
  deliveryCases('PostgreSQL', open)
  brokerCases('PostgreSQL', open)

  it('keeps the bytes of an instance that another server announces at the same moment', async () => {
    const schema = freshSchema()
    const options = { url: addressOf(schema) }
    {
      await using one = await openPostgres({ ...options, node: 'one' })
      await using two = await openPostgres({ ...options, node: 'two' })
      for (let n = 0; n < 60; n++) {
        const arrival = arrivalOf({ instance: String(n), study: `S${n % 3 === 0 ? n : 0}` })
        const [uploaded] = await Promise.all([
          one.record(arrival),
          two.record({ ...arrival, file: heldElsewhere }),
        ])
        expect(uploaded.status).toBe('Success')
        const { instance } = arrival.header.ids
        expect(await one.holds([instance])).toEqual(new Map([[instance, arrival.file]]))
      }
    }
    await dropSchema(schema)
  })
})
