/** The runs of callbacks: searched, shown, replayed. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fault } from '../../errors.ts'
import { outcomes, type RunsQuery } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { formatRun, fromJson } from '../format-run.ts'
import {
  callbackName,
  isFlag,
  limitOf,
  listOf,
  moment,
  numberOf,
  numbers,
  parseQuery,
  text,
  whole,
} from '../query.ts'

const filter = {
  script: text.optional(),
  callback: callbackName.optional(),
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
  ids: numbers.optional(),
  version: text.pipe(z.enum(['original', 'current'])).default('current'),
  limit: limitOf(1_000_000, 1_000_000),
  preview: text.optional(),
})
/** Told once more in one transaction. */
const atATime = 200
const oneQuery = replayQuery.pick({ version: true })

export function runRoutes(app: FastifyInstance, { store, onOwed }: ApiParts): void {
  const replay = async (ids: readonly number[], version: 'original' | 'current', isPreview = false) => {
    const total = { replayed: 0, waiting: 0, gone: 0 }
    for (let at = 0; at < ids.length; at += atATime) {
      const some = await store.replayRuns(ids.slice(at, at + atATime), version === 'original', isPreview)
      total.replayed += some.replayed
      total.waiting += some.waiting
      total.gone += some.gone
      if (!isPreview) onOwed()
    }
    return total
  }
  const known = async (id: number) => {
    const found = await store.run(id)
    if (found === null) throw unknownResource(`There is no run ${id}`)
    return found
  }
  endpoint(app, '/runs', {
    GET: async ({ query }) => {
      const { limit, ...wanted } = parseQuery(runsQuery, query)
      return (await store.runs({ ...queryOf(wanted), limit })).map(formatRun)
    },
  })
  endpoint(app, '/runs/replay', {
    POST: async ({ query }) => {
      const { limit, version, ids, preview, ...wanted } = parseQuery(replayQuery, query)
      const isFiltered = Object.values(wanted).some((value) => value !== undefined)
      if (isFiltered === (ids !== undefined)) {
        const names = Object.keys(filter).join(', ')
        throw fault(
          'bad-parameter',
          `Expected which runs to replay: either their numbers as ids, or one or more of ${names}`,
        )
      }
      // One after the other: each has all that it said.
      for (const id of ids ?? []) await known(id)
      const which = ids === undefined ? queryOf(wanted) : { ids }
      const chosen = await store.runsToReplay({ ...which, limit })
      if (!isFlag(preview)) return replay(chosen, version)
      // Of those that match there may be very many: what would come of them is asked for some at a time.
      const counts = ids === undefined ? {} : await replay(chosen, version, true)
      return { preview: true, ids: chosen, ...counts }
    },
  })
  endpoint(app, '/runs/:id', {
    GET: async (request) => {
      const found = await known(numberOf(request))
      return { ...formatRun(found.summary), event: fromJson(found.event) }
    },
  })
  endpoint(app, '/runs/:id/replay', {
    POST: async (request) => {
      const id = numberOf(request)
      await known(id)
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
