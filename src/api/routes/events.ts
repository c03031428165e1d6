/** `/events`: what happens, as server-sent events (HTML Living Standard, 9.2). */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fault } from '../../errors.ts'
import { outcomes } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { type FeedItem, type FeedOptions, type FeedPosition, feed, feedKinds, startOf } from '../feed.ts'
import { callbackName, listOf, parseQuery, text } from '../query.ts'

/** So that nobody on the way takes the connection for dead. */
const aliveMs = 15_000
/** How long a reader may take to read what it was told before the end. */
const endMs = 300

const position = text
  .pipe(z.string().regex(/^\d{1,15}\.\d{1,15}$/, 'Expected the id of an event, such as 12.3'))
  .transform((id): FeedPosition => {
    const [seq, run] = id.split('.')
    return { seq: Number(seq), run: Number(run) }
  })
const eventsQuery = z.strictObject({
  kinds: listOf(feedKinds).default([...feedKinds]),
  after: position.optional(),
  script: text.optional(),
  callback: callbackName.optional(),
  outcome: listOf(outcomes).optional(),
})

export function eventRoutes(app: FastifyInstance, parts: ApiParts): void {
  const closing = new AbortController()
  const streams = new Set<Readable>()
  app.addHook('preClose', async () => {
    closing.abort()
    // Some readers are too slow to be told of the end.
    setTimeout(() => {
      for (const stream of streams) stream.destroy()
    }, endMs)
  })
  endpoint(app, '/events', {
    GET: async ({ headers, query }, reply) => {
      const { kinds, after, script, callback, outcome } = parseQuery(eventsQuery, query)
      const again = headers['last-event-id']
      const asked = again === undefined ? (after ?? null) : lastEventId(again)
      const options: FeedOptions = {
        kinds: new Set(kinds),
        from: await startOf(parts.store, asked),
        runs: {
          ...(script === undefined ? {} : { script }),
          ...(callback === undefined ? {} : { callback }),
          ...(outcome === undefined ? {} : { outcomes: outcome }),
        },
        signal: closing.signal,
      }
      reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-store')
      const stream = Readable.from(eventStream(options, feed(parts, options)), { objectMode: false })
      streams.add(stream)
      stream.on('close', () => streams.delete(stream))
      return reply.send(stream)
    },
  })
}

function lastEventId(given: unknown): FeedPosition {
  const parsed = position.safeParse(given)
  if (parsed.success) return parsed.data
  throw fault('bad-parameter', `Header "Last-Event-ID": ${parsed.error.issues[0]!.message}`)
}

async function* eventStream(
  { kinds, from }: FeedOptions,
  items: AsyncIterable<readonly FeedItem[]>,
): AsyncGenerator<string> {
  // So that also one that is told nothing before it is cut off goes on from here.
  yield `retry: 1000\nevent: ready\nid: ${idOf(from)}\ndata: ${JSON.stringify({ kinds: [...kinds] })}\n\n`
  let saidAt = performance.now()
  for await (const some of items) {
    if (some.length > 0) yield some.map(textOf).join('')
    else if (performance.now() - saidAt < aliveMs) continue
    else yield ': alive\n\n'
    saidAt = performance.now()
  }
}

const idOf = ({ seq, run }: FeedPosition) => `${seq}.${run}`

function textOf({ kind, position, value }: FeedItem): string {
  return `event: ${kind}\nid: ${idOf(position)}\ndata: ${JSON.stringify(value)}\n\n`
}
