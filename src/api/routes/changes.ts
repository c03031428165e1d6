/** The log of changes, as Orthanc shows it. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { orthancChange } from '../../dicom/dicom.ts'
import { fault } from '../../errors.ts'
import { meant } from '../../lib/nearest.ts'
import type { ChangeType } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { parseQuery, text, whole } from '../query.ts'

/** Most changes in one answer; `Done` then says that there are more. */
const mostChanges = 5_000

/** Orthanc's names, and what the log has for them; some of its changes are never made here. */
const typesByName: Record<string, readonly ChangeType[]> = {
  CompletedSeries: ['CompletedSeries'],
  NewInstance: ['NewInstance'],
  NewPatient: ['NewPatient'],
  NewSeries: ['NewSeries'],
  NewStudy: ['NewStudy'],
  StablePatient: ['StablePatient'],
  StableSeries: ['StableSeries'],
  StableStudy: ['StableStudy'],
  Deleted: ['DeletedPatient', 'DeletedStudy', 'DeletedSeries', 'DeletedInstance'],
  AnonymizedPatient: [],
  AnonymizedSeries: [],
  AnonymizedStudy: [],
  ModifiedPatient: [],
  ModifiedSeries: [],
  ModifiedStudy: [],
  NewChildInstance: [],
  UpdatedAttachment: [],
  UpdatedMetadata: [],
}

const defaults = { since: 0, to: -1, limit: 100 }
/** One of them that is not a number makes all three fall back. */
const rangeQuery = z
  .object({ since: whole.default(0), to: whole.default(-1), limit: whole.default(100) })
  .catch(defaults)
const otherQuery = z.object({ last: text.optional(), type: text.optional() })

export function changeRoutes(app: FastifyInstance, { store }: ApiParts): void {
  endpoint(app, '/changes', {
    GET: async ({ query }) => {
      const { since, to, limit } = parseQuery(rangeQuery, query)
      const { last, type } = parseQuery(otherQuery, query)
      const types = typesOf(type)
      const page = await store.changes({
        ...(since > 0 ? { since } : {}),
        ...(to >= 0 ? { to } : {}),
        ...(types === null ? {} : { types }),
        limit: Math.min(limit, mostChanges),
        last: last !== undefined,
      })
      return {
        Changes: page.changes.map(orthancChange),
        Done: page.done,
        ...(page.changes.length > 0 ? { First: page.changes[0]!.seq } : {}),
        Last: page.last,
      }
    },
    DELETE: async (_request, reply) => {
      await store.hideChanges()
      return reply.type('text/plain').send('')
    },
  })
}

/** The types of `A;B`; null: no filter. */
function typesOf(list: string | undefined): readonly ChangeType[] | null {
  const names = list?.split(';') ?? ['all']
  if (names.some((name) => name.toLowerCase() === 'all')) return null
  return names.flatMap((name) => {
    if (Object.hasOwn(typesByName, name)) return typesByName[name]!
    throw fault('bad-parameter', `Unknown type of change "${name}": ${meant(name, Object.keys(typesByName))}`)
  })
}
