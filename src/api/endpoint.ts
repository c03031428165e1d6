/** A path with the methods that it has; to every other method it answers 405 and says which there are. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const
type Method = (typeof methods)[number]

/**
 * @param handlers what is called for each method that the path has
 * @param options of the routes that have a handler
 */
export function endpoint(
  app: FastifyInstance,
  path: string,
  handlers: Partial<Record<Method, Handler>>,
  options: RouteShorthandOptions = {},
): void {
  const refused: Method[] = []
  for (const method of methods) {
    const handler = handlers[method]
    if (handler === undefined) refused.push(method)
    else app.route({ ...options, method, url: path, handler })
  }
  const allow = methods.filter((method) => handlers[method] !== undefined).join(',')
  app.route({
    method: refused,
    url: path,
    handler: (_request, reply) => reply.code(405).header('allow', allow).send(),
  })
}

/** The identifier in the path. */
export function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id
}
