/** The runs of callbacks: searched, shown, replayed. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fault } from '../../errors.ts'
import { outcomes, type RunsQuery } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { formatRun, fromJson } from '../format-run.ts'
import { limitOf, listOf, moment, numberOf, parseQuery, text, whole } from '../query.ts'

const filter = {
  script: text.optional(),
  callback: text.optional(),
  outcome: listOf(outcomes).optional(),
  resource: text.optional(),
  patient: text.optional(),
  accession: text.optional(),
  delivery: whole.optional(),
  since: moment.optional(),
  until: moment.optional(),
  before: whole.optional(),
  after: whole.optional(),
}
const runsQuery = z.strictObject({ ...filter, limit: limitOf(100) })
const replayQuery = z.strictObject({
  ...filter,
  version: text.pipe(z.enum(['original', 'current'])).default('current'),
  limit: limitOf(1_000),
})
const oneQuery = replayQuery.pick({ version: true })

export function runRoutes(app: FastifyInstance, { store, onOwed }: ApiParts): void {
  const replay = async (ids: readonly number[], version: 'original' | 'current') => {
    const replayed = await store.replayRuns(ids, version === 'original')
    onOwed()
    return replayed
  }
  endpoint(app, '/runs', {
    GET: async ({ query }) => {
      const { limit, ...wanted } = parseQuery(runsQuery, query)
      return (await store.runs({ ...queryOf(wanted), limit })).map(formatRun)
    },
  })
  endpoint(app, '/runs/replay', {
    POST: async ({ query }) => {
      const { limit, version, ...wanted } = parseQuery(replayQuery, query)
      if (Object.values(wanted).every((value) => value === undefined)) {
        const names = Object.keys(filter).join(', ')
        throw fault('bad-parameter', `Expected which runs to replay: at least one of ${names}`)
      }
      return replay(await store.runIds({ ...queryOf(wanted), limit }), version)
    },
  })
  endpoint(app, '/runs/:id', {
    GET: async (request) => {
      const id = numberOf(request)
      const found = await store.run(id)
      if (found === null) throw unknownResource(`There is no run ${id}`)
      return { ...formatRun(found.summary), event: fromJson(found.event) }
    },
  })
  endpoint(app, '/runs/:id/replay', {
    POST: async (request) => {
      const id = numberOf(request)
      if ((await store.run(id)) === null) throw unknownResource(`There is no run ${id}`)
      return replay([id], parseQuery(oneQuery, request.query).version)
    },
  })
}

type Filter = Omit<z.infer<typeof runsQuery>, 'limit'>

function queryOf(wanted: Filter): Omit<RunsQuery, 'limit'> {
  const { outcome, patient, accession, since, until, ...same } = wanted
  const query = { ...same, outcomes: outcome, patientId: patient, accessionNumber: accession }
  return defined({ ...query, sinceMs: since, untilMs: until })
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>
}
