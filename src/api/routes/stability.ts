/** Making resources stable or unstable by hand, and the windows that wait. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { folders, levels } from '../../dicom/dicom.ts'
import type { ApiParts } from '../api.ts'
import { endpoint, idOf } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { limitOf, parseQuery } from '../query.ts'

const windowsQuery = z.object({ limit: limitOf(1_000) })

const noResource = (level: string, id: string) =>
  unknownResource(`There is no ${level.toLowerCase()} "${id}"`)

export function stabilityRoutes(app: FastifyInstance, { store, settle, unsettle }: ApiParts): void {
  for (const level of levels) {
    if (level === 'Instance') continue
    endpoint(app, `/${folders[level]}/:id/settle`, {
      POST: async (request) => {
        if ((await store.find(level, idOf(request))) === null) throw noResource(level, idOf(request))
        return { Changed: await settle(level, idOf(request)) }
      },
    })
    endpoint(app, `/${folders[level]}/:id/unsettle`, {
      POST: async (request) => {
        if (!(await unsettle(level, idOf(request)))) throw noResource(level, idOf(request))
        return { Changed: true }
      },
    })
  }

  endpoint(app, '/windows', {
    GET: async ({ query }) => {
      const windows = await store.windows(parseQuery(windowsQuery, query).limit)
      return windows.map(({ openedAtMs, lastAtMs, ...window }) => ({
        ...window,
        openedAt: new Date(openedAtMs).toISOString(),
        lastAt: new Date(lastAtMs).toISOString(),
      }))
    },
  })
}
