/**
 * Asks scripts whether a request may be answered. Never asked of: what an administrator needs to repair a script that
 * refuses everything, and what scripts read from inside.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { fault } from '../errors.ts'
import type { ApiParts } from './api.ts'

/** First parts of the paths that stay open: none of them says anything of patients. */
const unasked: ReadonlySet<string> = new Set([
  ...['scripts', 'backlog', 'pause', 'resume', 'drain', 'system', 'ready'],
])
/** They say who somebody is, and are for the server alone. */
const secret: readonly string[] = ['authorization', 'proxy-authorization', 'cookie']

export interface RequestFilter {
  /** Header of the requests that come from inside. */
  readonly fromInside: Readonly<Record<string, string>>
  /** The hook that throws `forbidden` for a request that is refused. */
  readonly hook: (request: FastifyRequest) => Promise<void>
}

export function createRequestFilter({ requestQuestion }: Pick<ApiParts, 'requestQuestion'>): RequestFilter {
  const name = 'x-onstable-inside'
  const mark = randomUUID()
  return {
    fromInside: { [name]: mark },
    async hook(request) {
      if (!requestQuestion.isAsked() || request.headers[name] === mark) return
      // The router would take an address of another form for the same path.
      if (!request.url.startsWith('/')) throw fault('bad-request', 'Expected a path as the target')
      const path = plainPath(request.url)
      if (unasked.has(path.split('/', 2)[1]!)) return
      const { accepted, isAnswer, script } = await requestQuestion.ask(factsOf(request, path), {
        method: request.method,
        path,
      })
      if (accepted) return
      const why = isAnswer ? 'refuses this request' : 'gave no answer, and refuses then (ask.onFailure)'
      throw fault('forbidden', `The filter "${script}" ${why}`)
    },
  }
}

/** As the router takes it: `//a%62/` is `/ab`, so that no other spelling gets past a filter. */
function plainPath(url: string): string {
  const parts = url.split(/[?#]/, 1)[0]!.split('/')
  return `/${parts
    .filter((part) => part !== '')
    .map(decoded)
    .join('/')}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // No route is found for it.
    return part
  }
}

function factsOf({ method, query, headers, socket }: FastifyRequest, path: string): object {
  const shown = Object.entries(headers).filter(([name]) => !secret.includes(name))
  return {
    method,
    path,
    query,
    headers: Object.fromEntries(shown),
    remoteIp: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
  }
}
