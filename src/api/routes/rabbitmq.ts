/** The bridge to RabbitMQ: how far it is, and its hands. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fault } from '../../errors.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { limitOf, parseQuery, whole } from '../query.ts'

const replayQuery = z.strictObject({ seq: whole.pipe(z.number().min(0)) })

const deadQuery = z.strictObject({ limit: limitOf(20, 100) })

export function rabbitmqRoutes(app: FastifyInstance, { bridge }: ApiParts): void {
  const needed = () => {
    if (bridge !== null) return bridge
    throw fault('unknown-resource', 'No RabbitMQ is set: start the server with "rabbitmq"')
  }
  endpoint(app, '/rabbitmq', {
    GET: async () => {
      const { relay, refusedSince, received, ...state } = await needed().state()
      return {
        ...state,
        published: relay === null ? null : { ...relay, behind: relay.last - relay.cursor },
        refusedSince: refusedSince === null ? null : new Date(refusedSince).toISOString(),
        received,
      }
    },
  })
  endpoint(app, '/rabbitmq/replay', {
    POST: async ({ query }) => {
      const { seq } = parseQuery(replayQuery, query)
      const { since, until } = (await needed().replay(seq)) ?? { since: seq, until: seq }
      return { Since: since, Until: until, Changes: until - since }
    },
  })
  endpoint(app, '/rabbitmq/dead', {
    GET: async ({ query }) => needed().setAside(parseQuery(deadQuery, query).limit),
  })
  endpoint(app, '/rabbitmq/requeue', {
    POST: async () => {
      const { requeued, left } = await needed().requeue()
      return { Requeued: requeued, Left: left }
    },
  })
}
