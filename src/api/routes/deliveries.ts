/** What is owed to callbacks: why it waits, what is dead, and another try of it. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { DeliverySummary } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownResource, unknownScript } from '../errors.ts'
import { formatRun, fromJson } from '../format-run.ts'
import { limitOf, numberOf, parseQuery, text, whole } from '../query.ts'

const deliveriesQuery = z.strictObject({
  script: text.optional(),
  state: text.pipe(z.enum(['waiting', 'leased', 'dead'])).optional(),
  after: whole.optional(),
  limit: limitOf(100),
})
const scriptQuery = z.strictObject({ script: text.optional() })

/** Most attempts that are shown with a delivery: a policy has at most as many. */
const mostAttempts = 100

export function deliveryRoutes(app: FastifyInstance, { store, scripts, onOwed }: ApiParts): void {
  const scriptOf = async (query: unknown): Promise<string | null> => {
    const { script } = parseQuery(scriptQuery, query)
    if (script === undefined) return null
    const names = (await store.scripts()).map(({ name }) => name)
    if (!names.includes(script)) throw unknownScript(script, names)
    return script
  }
  const refused = () => new Set(scripts().flatMap(({ name, state }) => (state === 'refused' ? [name] : [])))
  endpoint(app, '/deliveries', {
    GET: async ({ query }) => {
      const { script, state, after, limit } = parseQuery(deliveriesQuery, query)
      const found = await store.deliveries({
        ...(script === undefined ? {} : { script }),
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { after }),
        limit,
      })
      const without = refused()
      return found.map((each) => formatDelivery(each, without))
    },
  })
  endpoint(app, '/deliveries/dead', {
    DELETE: async ({ query }) => ({
      dropped: await store.dropDead(await scriptOf(query)),
    }),
  })
  endpoint(app, '/deliveries/dead/retry', {
    POST: async ({ query }) => {
      const retried = await store.retryDead(await scriptOf(query))
      onOwed()
      return { retried }
    },
  })
  endpoint(app, '/deliveries/:id', {
    GET: async (request) => {
      const id = numberOf(request)
      const found = await store.delivery(id)
      if (found === null) throw noDelivery(id)
      const { resource, script } = found.summary
      const about = resource === null ? { script } : { resource: resource.id }
      const runs = await store.runs({ ...about, delivery: id, limit: mostAttempts })
      return {
        ...formatDelivery(found.summary, refused()),
        event: fromJson(found.event),
        runs: runs.map(formatRun).reverse(),
      }
    },
    DELETE: async (request) => {
      const id = numberOf(request)
      if ((await store.delivery(id)) === null) throw noDelivery(id)
      return { Changed: await store.dropDelivery(id) }
    },
  })
  endpoint(app, '/deliveries/:id/retry', {
    POST: async (request) => {
      const id = numberOf(request)
      if ((await store.delivery(id)) === null) throw noDelivery(id)
      const changed = await store.retryDelivery(id)
      if (changed) onOwed()
      return { Changed: changed }
    },
  })
}

const noDelivery = (id: number) => unknownResource(`There is no delivery ${id}`)

/** @param refused scripts that were refused: what they are owed waits for their files, too */
function formatDelivery(
  { runAtMs, diedAtMs, reason, ...delivery }: DeliverySummary,
  refused: ReadonlySet<string>,
): object {
  return {
    ...delivery,
    waitsFor: delivery.waitsFor !== null && refused.has(delivery.script) ? 'script' : delivery.waitsFor,
    runAt: delivery.state === 'waiting' ? new Date(runAtMs).toISOString() : null,
    diedAt: diedAtMs === null ? null : new Date(diedAtMs).toISOString(),
    reason: fromJson(reason),
  }
}
