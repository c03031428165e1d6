/**
 * The HTTP server: its limits, the order of its parts, its start and its end.
 */
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { fault, isSystemError } from '../errors.ts'
import type { Api, ApiParts } from './api.ts'
import { collectBodies } from './body.ts'
import { answerErrors, answerUnroutable } from './errors.ts'
import { createGuard, refuseOpenAddress } from './guard.ts'
import { getInside } from './inside.ts'
import { tellOfOwnCommands } from './own-key.ts'
import { createRequestFilter } from './request-filter.ts'
import { changeRoutes } from './routes/changes.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { eventRoutes } from './routes/events.ts'
import { instanceRoutes } from './routes/instances.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { rabbitmqRoutes } from './routes/rabbitmq.ts'
import { resourceRoutes } from './routes/resources.ts'
import { runRoutes } from './routes/runs.ts'
import { scriptRoutes } from './routes/scripts.ts'
import { stabilityRoutes } from './routes/stability.ts'
import { systemRoutes } from './routes/system.ts'

/** Each resource family adds its own; a further family is one file and one line. */
const families = [
  instanceRoutes,
  resourceRoutes,
  changeRoutes,
  stabilityRoutes,
  scriptRoutes,
  runRoutes,
  deliveryRoutes,
  eventRoutes,
  nodeRoutes,
  rabbitmqRoutes,
  systemRoutes,
] as const

const mostConnections = 512
const headersTimeoutMs = 15_000
const requestTimeoutMs = 15 * 60_000
const silenceTimeoutMs = 2 * 60_000
const keepAliveTimeoutMs = 65_000
const closeTimeoutMs = 10_000
const sweepIntervalMs = 20

/** Requests are parsed by zod, and answers are plain JSON: the compilers of JSON schemas are not even loaded. */
const noSchemas = () => (): never => {
  throw fault('internal', 'A route has a JSON schema: this is a bug')
}

/**
 * Starts to listen on `settings.host` and `settings.httpPort`.
 * @throws `bad-setting` for an address but loopback without a token, `port-in-use`
 */
export async function startApi(parts: ApiParts): Promise<Api> {
  const { settings, log } = parts
  refuseOpenAddress(settings)
  const app = Fastify({
    http: { noDelay: true, headersTimeout: headersTimeoutMs },
    requestTimeout: requestTimeoutMs,
    connectionTimeout: silenceTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    frameworkErrors: answerUnroutable,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 256 },
  })
  app.server.maxConnections = mostConnections
  answerErrors(app, log)
  collectBodies(app)
  app.addHook('onRequest', createGuard(settings))
  const filter = createRequestFilter(parts)
  app.addHook('onRequest', filter.hook)
  tellOfOwnCommands(app, parts.store.epoch, parts.onOwnCommand)
  for (const addRoutes of families) addRoutes(app, parts)
  await listen(app, settings.host, settings.httpPort)
  const bound = app.server.address() as AddressInfo
  const close = () => closeWithin(app, closeTimeoutMs)
  return {
    port: bound.port,
    address: bound.address,
    get: (path) => getInside(app, path, settings.token, filter.fromInside),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    if (isSystemError(cause, 'EADDRINUSE')) {
      throw fault(
        'port-in-use',
        `Port ${port} on ${host} is in use: stop the other program, or choose another port with "--http-port"`,
        { cause },
      )
    }
    if (isSystemError(cause, 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN')) {
      throw fault('bad-setting', `Setting "host": this machine has no address "${host}"`, { cause })
    }
    if (isSystemError(cause, 'EACCES')) {
      throw fault('bad-setting', `Setting "httpPort": not allowed to listen on port ${port}`, { cause })
    }
    throw cause
  }
}

async function closeWithin(app: FastifyInstance, timeoutMs: number): Promise<void> {
  // A connection that is kept alive becomes idle when its last request ends, which can be after the close.
  const sweep = setInterval(() => app.server.closeIdleConnections(), sweepIntervalMs)
  const cutOff = setTimeout(() => app.server.closeAllConnections(), timeoutMs)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(cutOff)
  }
}
