/**
 * The only place where errors become answers. A route throws a `fault`; nothing else is caught on the way.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { catalogue, type ErrorCode, fault, messageOf, OnStableError } from '../errors.ts'
import { meant } from '../lib/nearest.ts'
import type { Log } from '../log.ts'

/**
 * Thrown for a path below a resource that is not there.
 * @param details what there is not, on our own routes; those of Orthanc have none, as there
 */
export function unknownResource(details = ''): OnStableError {
  return fault('unknown-resource', details)
}

/** @param names those that there are */
export function unknownScript(name: string, names: readonly string[]): OnStableError {
  const advice = names.length === 0 ? 'there are no scripts' : meant(name, names)
  return unknownResource(`There is no script "${name}": ${advice}`)
}

/** Installs the handlers for what is thrown, for what is not found, and for what cannot be read as a request. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((thrown, request, reply) => answer(reply, request, known(thrown, log)))
  app.setNotFoundHandler((request, reply) => {
    // Orthanc knows these two methods nowhere, and says nothing more about it.
    if (request.method === 'HEAD' || request.method === 'OPTIONS') return reply.code(404).send()
    return answer(reply, request, unknownResource())
  })
}

/** For paths that no route can be asked for: broken percent signs, and parameters longer than any identifier. */
export function answerUnroutable(_: unknown, request: FastifyRequest, reply: FastifyReply): void {
  answer(reply, request, unknownResource())
}

function answer(reply: FastifyReply, request: FastifyRequest, error: OnStableError): FastifyReply {
  const { httpStatus, orthancStatus, title } = catalogue[error.code]
  if (error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="onstable"')
  return reply.code(httpStatus).send({
    ...(error.message === '' ? {} : { Details: error.message }),
    HttpError: STATUS_CODES[httpStatus],
    HttpStatus: httpStatus,
    Message: title,
    Method: request.method,
    OrthancError: title,
    OrthancStatus: orthancStatus,
    Uri: pathOf(request.url),
  })
}

function known(thrown: unknown, log: Log): OnStableError {
  if (thrown instanceof OnStableError) {
    if (thrown.code === 'draining') return thrown
    if (thrown.entry.httpStatus === 503) log.warn({ reason: thrown.message }, 'A request was put off')
    else if (thrown.entry.kind === 'system') log.error({ err: thrown }, 'A request failed')
    return thrown
  }
  const status = (thrown as { statusCode?: number }).statusCode ?? 500
  if (status >= 400 && status < 500) {
    const code: ErrorCode = status === 413 ? 'too-large' : 'bad-request'
    return fault(code, messageOf(thrown), { cause: thrown })
  }
  log.error({ err: thrown }, 'A request failed in a way that was not foreseen')
  return fault('internal', 'The request failed; the log of the server says why', { cause: thrown })
}

function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
