/** Uploads, and the stored files. */
import { once } from 'node:events'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fault } from '../../errors.ts'
import { heldElsewhere, type Origin } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint, idOf } from '../endpoint.ts'
import { unknownResource } from '../errors.ts'
import { ownKeyOf } from '../own-key.ts'
import { listResources } from './resources.ts'

export function instanceRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { settings, store, upload, openFile, reach } = parts
  endpoint(
    app,
    '/instances',
    {
      GET: (request, reply) => listResources(request, reply, store, 'Instance'),
      POST: async (request, reply) => {
        const body = (request.body as readonly Buffer[] | undefined) ?? []
        const { status, body: answer } = await upload(body, request.headers, originOf(request, store.epoch))
        return reply.code(status).send(answer)
      },
    },
    {
      bodyLimit: Math.ceil(settings.maxInstanceMb * 1024 * 1024),
      onResponse: async (request) => {
        if (request.method === 'POST') reach('answered')
      },
    },
  )

  endpoint(app, '/instances/:id/file', {
    GET: async (request, reply) => {
      const instance = await store.find('Instance', idOf(request))
      if (instance?.level !== 'Instance') throw unknownResource()
      if (instance.file === heldElsewhere)
        throw fault('unknown-resource', 'The file of this instance is not here: another archive holds it')
      const file = await openFile(instance.file)
      // Fails here, and not in the middle of the answer, if the file has just been deleted.
      await once(file, 'readable')
      return reply.type('application/dicom').header('content-length', instance.sizeBytes).send(file)
    },
  })
}

function originOf(request: FastifyRequest, epoch: string): Origin {
  const remoteIp = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const key = ownKeyOf(request, epoch)
  const cause = key === null ? {} : { cause: key }
  return { requestOrigin: 'RestApi', remoteIp, remoteAet: '', calledAet: '', username: '', ...cause }
}
