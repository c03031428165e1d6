/** The models on PostgreSQL, where one is found. */
import pg from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import {
  addressOf,
  dropSchema,
  emptySchema,
  freshSchema,
  hasPostgres,
  postgresUrl,
} from '../support/postgres.ts'
import { dispatchModel } from './dispatch.model.ts'
import { storeModel } from './store.model.ts'
import type { Worlds } from './worlds.ts'

/** Each command is a commit that is synced: a few are enough beside the thousand on SQLite. */
const runs = Number(process.env.ONSTABLE_POSTGRES_MODEL_RUNS ?? 60)
const schema = freshSchema()
const client = new pg.Client(postgresUrl)

const postgres: Worlds = {
  name: 'PostgreSQL',
  runs,
  async begin(clock) {
    await emptySchema(client, schema)
    return {
      open: () => openPostgres({ url: addressOf(schema), node: 'one', clock }),
      async [Symbol.asyncDispose]() {},
    }
  },
}

describe.skipIf(!hasPostgres)('on PostgreSQL (needs a server on 127.0.0.1:5432)', () => {
  beforeAll(async () => {
    await client.connect()
    await (await openPostgres({ url: addressOf(schema), node: 'one' })).close()
  })
  afterAll(async () => {
    await client.end()
    await dropSchema(schema)
  })
  storeModel(postgres)
  dispatchModel(postgres)
})
