/** `/events`: what happens, as server-sent events (HTML Living Standard, 9.2). */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { outcomes } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { type FeedItem, type FeedOptions, type FeedPosition, feed, feedKinds } from '../feed.ts'
import { listOf, parseQuery, text } from '../query.ts'

/** So that nobody on the way takes the connection for dead. */
const aliveMs = 15_000

const position = text
  .pipe(z.string().regex(/^\d{1,15}\.\d{1,15}$/, 'Expected the id of an event, such as 12.3'))
  .transform((id): FeedPosition => {
    const [seq, run] = id.split('.')
    return { seq: Number(seq), run: Number(run) }
  })
const eventsQuery = z.object({
  kinds: listOf(feedKinds).default([...feedKinds]),
  after: position.optional(),
  script: text.optional(),
  callback: text.optional(),
  outcome: listOf(outcomes).optional(),
})

export function eventRoutes(app: FastifyInstance, parts: ApiParts): void {
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())
  endpoint(app, '/events', {
    GET: async ({ headers, query }, reply) => {
      const { kinds, after, script, callback, outcome } = parseQuery(eventsQuery, query)
      const again = headers['last-event-id']
      const options: FeedOptions = {
        kinds: new Set(kinds),
        from: again === undefined ? (after ?? null) : parseQuery(position, again),
        runs: {
          ...(script === undefined ? {} : { script }),
          ...(callback === undefined ? {} : { callback }),
          ...(outcome === undefined ? {} : { outcomes: outcome }),
        },
        signal: closing.signal,
      }
      reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-store')
      return reply.send(Readable.from(eventStream(feed(parts, options)), { objectMode: false }))
    },
  })
}

async function* eventStream(items: AsyncIterable<readonly FeedItem[]>): AsyncGenerator<string> {
  yield 'retry: 1000\n\n'
  let saidAt = performance.now()
  for await (const some of items) {
    if (some.length > 0) yield some.map(textOf).join('')
    else if (performance.now() - saidAt < aliveMs) continue
    else yield ': alive\n\n'
    saidAt = performance.now()
  }
}

function textOf({ kind, position: { seq, run }, value }: FeedItem): string {
  return `event: ${kind}\nid: ${seq}.${run}\ndata: ${JSON.stringify(value)}\n\n`
}
