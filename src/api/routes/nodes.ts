/** The servers that share the store: who is there, what they run, and how one is taken out. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { openPath } from '../guard.ts'

/** A server that was silent for so long is not there, or cannot reach the database. */
const missingMs = 5_000

export function nodeRoutes(app: FastifyInstance, { nodes }: ApiParts): void {
  endpoint(app, '/nodes', {
    GET: async () => {
      const rows = await nodes.list()
      const now = Math.max(...rows.map(({ seenAtMs }) => seenAtMs))
      return rows.map(({ name, version, startedAtMs, seenAtMs, isDraining, leased }) => ({
        name,
        version,
        state: now - seenAtMs > missingMs ? 'missing' : isDraining ? 'draining' : 'serving',
        isThisOne: name === nodes.node,
        startedAt: new Date(startedAtMs).toISOString(),
        seenAt: new Date(seenAtMs).toISOString(),
        lagMs: now - seenAtMs,
        leased,
      }))
    },
  })
  const change = (isDraining: boolean) => async (request: FastifyRequest) => {
    const { name } = request.params as { name: string }
    const changed = await nodes.setDraining(name, isDraining)
    if (changed === null) throw unknownResource(`There is no server "${name}": GET /nodes names them`)
    return { Changed: changed }
  }
  endpoint(app, '/nodes/:name/drain', { POST: change(true) })
  endpoint(app, '/nodes/:name/resume', { POST: change(false) })
  endpoint(app, openPath, {
    GET: (_request, reply) => reply.code(nodes.isDraining() ? 503 : 200).send({ Ready: !nodes.isDraining() }),
  })
}
