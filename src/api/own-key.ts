/** Requests that a run of this server makes of it: they carry the idempotency key of the run. */
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Of those that this server makes. */
const longestKey = 400

/** Null: no run of this server, whose keys begin with its epoch, makes the request. */
export function ownKeyOf({ headers }: FastifyRequest, epoch: string): string | null {
  const key = headers['idempotency-key']
  const isOurs = typeof key === 'string' && key.startsWith(`${epoch}-`) && key.length <= longestKey
  return isOurs ? key : null
}

/**
 * Tells of runs that ask for something else than to read, such as to settle a study or to replay a run. What they store
 * says by itself whose doing it is.
 */
export function tellOfOwnCommands(
  app: FastifyInstance,
  epoch: string,
  onOwnCommand: (idempotencyKey: string) => void,
): void {
  app.addHook('preHandler', async (request) => {
    const { method, routeOptions } = request
    if (method === 'GET' || method === 'HEAD' || routeOptions.url === '/instances') return
    const key = ownKeyOf(request, epoch)
    if (key !== null) onOwnCommand(key)
  })
}
