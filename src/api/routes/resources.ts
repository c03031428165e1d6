/** Patients, studies, series and instances: lists, single ones, relatives, totals, deletion. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { folders, type Level, levels, pathOf } from '../../dicom/dicom.ts'
import { fault } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint, idOf } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { formatResource } from '../format.ts'
import { answerList, knownIds, listIds } from '../listing.ts'
import { parseQuery, text, whole } from '../query.ts'
import { resourceStatistics } from './resource-statistics.ts'

const listQuery = z.object({ expand: text.optional(), since: whole.optional(), limit: whole.optional() })

export function resourceRoutes(app: FastifyInstance, { store, remove }: ApiParts): void {
  for (const [depth, level] of levels.entries()) {
    const path = `/${folders[level]}`
    if (level !== 'Instance') {
      endpoint(app, path, { GET: (request, reply) => listResources(request, reply, store, level) })
    }
    endpoint(app, `${path}/:id`, {
      GET: async (request, reply) => {
        const resource = await store.find(level, idOf(request))
        return resource === null ? reply.code(404).send() : formatResource(resource)
      },
      DELETE: async (request, reply) => {
        const removed = await remove(level, idOf(request))
        return removed === null ? reply.code(404).send() : formatRemoved(removed.remainingAncestor)
      },
    })
    endpoint(app, `${path}/:id/statistics`, {
      GET: (request) => resourceStatistics(store, level, idOf(request)),
    })
    for (const below of levels.slice(depth + 1)) {
      endpoint(app, `${path}/:id/${folders[below]}`, {
        GET: async (request, reply) => {
          const { expand } = parseQuery(listQuery, request.query)
          const ids = await relatives(store, level, idOf(request), below)
          return answerList(reply, store, below, knownIds(ids), expand !== 'false')
        },
      })
    }
    for (const above of levels.slice(0, depth)) {
      endpoint(app, `${path}/:id/${above.toLowerCase()}`, {
        GET: async (request) => {
          const [id] = await relatives(store, level, idOf(request), above)
          const resource = id === undefined ? null : await store.find(above, id)
          if (resource === null) throw unknownResource()
          return formatResource(resource)
        },
      })
    }
  }
}

/** `GET /studies` and its like. `since` and `limit` come together or not at all. */
export async function listResources(
  request: FastifyRequest,
  reply: FastifyReply,
  store: Store,
  level: Level,
): Promise<FastifyReply> {
  const { expand, since, limit } = parseQuery(listQuery, request.query)
  const missing = limit === undefined ? 'limit' : 'since'
  if ((since === undefined) !== (limit === undefined)) {
    throw fault('bad-request', `Missing "${missing}" argument for GET request against: /${folders[level]}/`)
  }
  const ids = listIds(store, level, Math.max(0, since ?? 0), Math.max(0, limit ?? Number.MAX_SAFE_INTEGER))
  return answerList(reply, store, level, ids, expand !== undefined && expand !== 'false')
}

async function relatives(store: Store, from: Level, id: string, level: Level): Promise<readonly string[]> {
  const ids = await store.related(from, id, level)
  if (ids === null) throw unknownResource()
  return ids
}

function formatRemoved(ancestor: { level: Level; id: string } | null): object {
  if (ancestor === null) return { RemainingAncestor: null }
  const { level, id } = ancestor
  return { RemainingAncestor: { ID: id, Path: pathOf(level, id), Type: level } }
}
