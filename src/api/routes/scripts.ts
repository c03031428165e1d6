/** The scripts, the runs of their callbacks, and what they are still owed. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { RunSummary } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { parseQuery, text, whole } from '../query.ts'

const runsQuery = z.object({ script: text.optional(), limit: limitOf(100) })

export function scriptRoutes(app: FastifyInstance, { store, scripts, resumeScript }: ApiParts): void {
  endpoint(app, '/scripts', { GET: () => scripts() })
  endpoint(app, '/scripts/:name/resume', {
    POST: async ({ params }) => {
      const changed = await resumeScript((params as { name: string }).name)
      if (changed === null) throw unknownResource()
      return { Changed: changed }
    },
  })
  endpoint(app, '/backlog', { GET: () => store.backlog() })
  endpoint(app, '/runs', {
    GET: async ({ query }) => {
      const { script, limit } = parseQuery(runsQuery, query)
      const runs = await store.runs({ ...(script === undefined ? {} : { script }), limit })
      return runs.map(formatRun)
    },
  })
}

/** The parameter `limit` of our own lists: from 1 to 1,000. */
export function limitOf(usual: number) {
  return whole.pipe(z.number().min(1).max(1_000)).default(usual)
}

function formatRun({ endedAtMs, logs, hostCalls, reason, ...run }: RunSummary): object {
  return {
    ...run,
    endedAt: new Date(endedAtMs).toISOString(),
    reason: fromJson(reason),
    logs: fromJson(logs),
    hostCalls: fromJson(hostCalls),
  }
}

/** A reason may be plain text. */
function fromJson(value: string | null): unknown {
  if (value === null) return null
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
