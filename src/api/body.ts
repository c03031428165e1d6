/**
 * Request bodies: kept as they come, whatever their content type, up to the limit of the route. Large ones are held back
 * while all together have too much in memory.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fault, type OnStableError } from '../errors.ts'
import { BackPressure } from '../lib/back-pressure.ts'
import { type HeldBody, holdBack } from './hold-back.ts'

/** Largest body of a route that does not say otherwise. */
const usualLimitBytes = 1024 * 1024
/** What large bodies may have in memory together before all but one of them wait. */
const usualMemoryBytes = 256 * 1024 * 1024
/** A body is large from here on: the small ones of others never wait for it. */
const largeBytes = 1024 * 1024

type Done = (error: Error | null, body?: readonly Buffer[]) => void

/** Every body becomes the chunks that came; one that is too large is refused with 413. */
export function collectBodies(app: FastifyInstance, memoryBytes = usualMemoryBytes): void {
  const backPressure = new BackPressure(memoryBytes)
  const responses = new WeakMap<FastifyRequest, ServerResponse>()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { bodyLimit: usualLimitBytes }, (request, payload, done) =>
    collect(request, payload, done, backPressure, responses.get(request)!),
  )
  app.addHook('preParsing', (request, reply, payload, done) => {
    responses.set(request, reply.raw)
    // A type that cannot be read says nothing: the body is taken as one without.
    const { headers } = request.raw
    if (headers['content-type'] !== undefined && request.mediaType === undefined)
      delete headers['content-type']
    done(null, payload)
  })
}

function collect(
  request: FastifyRequest,
  payload: FastifyRequest['raw'],
  done: Done,
  backPressure: BackPressure,
  response: ServerResponse,
): void {
  const limit = request.routeOptions.bodyLimit ?? usualLimitBytes
  let chunks: Buffer[] = []
  let length = 0
  let ended = false
  let held: HeldBody | null = null
  const end = (error: Error | null, body?: readonly Buffer[]) => {
    if (ended) return
    ended = true
    chunks = []
    if (error !== null) held?.letGo()
    done(error, body)
  }
  payload.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (ended) return
    if (length > limit) return end(tooLarge(limit))
    chunks.push(chunk)
    if (held !== null) held.more(chunk.length)
    else if (length > largeBytes) held = holdBack(payload, response, backPressure, length)
  })
  payload.on('end', () => end(null, chunks))
  payload.on('error', (cause) => end(fault('bad-request', 'The body ended before its time', { cause })))
  if (Number(request.headers['content-length'] ?? 0) > limit) end(tooLarge(limit))
}

function tooLarge(limitBytes: number): OnStableError {
  const limitMb = Math.round((limitBytes / (1024 * 1024)) * 1_000) / 1_000
  return fault('too-large', `The body is larger than ${limitMb} MB, the most that is accepted here`)
}
