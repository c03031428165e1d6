/** The contract of the store on PostgreSQL, where one is found. */
import { describe } from 'vitest'
import { openPostgres } from '../../src/store/store.ts'
import { addressOf, dropSchema, freshSchema, hasPostgres } from '../support/postgres.ts'
import { brokerCases } from './broker.cases.ts'
import { deliveryCases } from './delivery.cases.ts'
import { type StoreUnderTest, storeCases } from './store.cases.ts'

async function open(): Promise<StoreUnderTest> {
  const schema = freshSchema()
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
    close: async () => {
      await under.store.close()
      await dropSchema(schema)
    },
  }
  return under
}

describe.skipIf(!hasPostgres)('on PostgreSQL (needs a server on 127.0.0.1:5432)', () => {
  storeCases('PostgreSQL', open)
  deliveryCases('PostgreSQL', open)
  brokerCases('PostgreSQL', open)
})
