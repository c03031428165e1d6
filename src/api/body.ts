/**
 * Request bodies: kept as they come, whatever their content type, up to the limit of the route.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fault, type OnStableError } from '../errors.ts'

/** Largest body of a route that does not say otherwise. */
const usualLimitBytes = 1024 * 1024

type Done = (error: Error | null, body?: readonly Buffer[]) => void

/** Every body becomes the chunks that came; one that is too large is refused with 413. */
export function collectBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { bodyLimit: usualLimitBytes }, collect)
  app.addHook('preParsing', (request, _reply, payload, done) => {
    // A type that cannot be read says nothing: the body is taken as one without.
    const { headers } = request.raw
    if (headers['content-type'] !== undefined && request.mediaType === undefined)
      delete headers['content-type']
    done(null, payload)
  })
}

function collect(request: FastifyRequest, payload: FastifyRequest['raw'], done: Done): void {
  const limit = request.routeOptions.bodyLimit ?? usualLimitBytes
  let chunks: Buffer[] = []
  let length = 0
  let ended = false
  const end = (error: Error | null, body?: readonly Buffer[]) => {
    if (ended) return
    ended = true
    chunks = []
    done(error, body)
  }
  payload.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (ended) return
    if (length > limit) end(tooLarge(limit))
    else chunks.push(chunk)
  })
  payload.on('end', () => end(null, chunks))
  payload.on('error', (cause) => end(fault('bad-request', 'The body ended before its time', { cause })))
  if (Number(request.headers['content-length'] ?? 0) > limit) end(tooLarge(limit))
}

function tooLarge(limitBytes: number): OnStableError {
  const limitMb = Math.round((limitBytes / (1024 * 1024)) * 1_000) / 1_000
  return fault('too-large', `The body is larger than ${limitMb} MB, the most that is accepted here`)
}
