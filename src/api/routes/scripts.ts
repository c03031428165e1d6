/** The scripts: what is in force, what waits, and the hands that an administrator has on them. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fault, type OnStableError } from '../../errors.ts'
import type { Forgotten } from '../../scripts/scripts.ts'
import type { ReplayStart } from '../../store/store.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { unknownScript } from '../errors.ts'
import { isFlag, moment, parseQuery, text, whole } from '../query.ts'

const drainQuery = z.strictObject({ timeout: whole.pipe(z.number().min(0).max(3_600)).default(60) })
const replayQuery = z.strictObject({
  seq: whole.pipe(z.number().min(0)).optional(),
  since: moment.optional(),
  preview: text.optional(),
})

export function scriptRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { store, scripts, unanswered, resumeScript, forgetScript, pauses, drained, onOwed } = parts
  const names = () => scripts().map((each) => each.name)
  const nameOf = ({ params }: FastifyRequest): string => {
    const { name } = params as { name: string }
    if (!names().includes(name)) throw unknownScript(name, names())
    return name
  }

  endpoint(app, '/scripts', {
    GET: () => scripts().map((each) => ({ ...each, unanswered: unanswered(each.version) })),
  })
  endpoint(app, '/scripts/:name', {
    DELETE: async (request) => {
      const name = nameOf(request)
      const end = await forgetScript(name)
      if (end !== 'forgotten') throw notForgotten(name, end)
      await pauses.unpause(name)
      return { Changed: true }
    },
  })
  endpoint(app, '/scripts/:name/resume', {
    POST: async (request) => {
      const name = nameOf(request)
      const changed = await resumeScript(name)
      if (changed === null) throw unknownScript(name, names())
      // It waits all the same while all are paused.
      return { Changed: changed, ...(pauses.allSinceMs() === null ? {} : { AllPaused: true }) }
    },
  })
  endpoint(app, '/scripts/:name/pause', {
    POST: async (request) => ({ Changed: await pauses.pause(nameOf(request)) }),
  })
  endpoint(app, '/scripts/:name/drain', {
    POST: async (request) => {
      const name = nameOf(request)
      const { timeout } = parseQuery(drainQuery, request.query)
      const changed = await pauses.pause(name)
      return { Changed: changed, Drained: await within(drained(name), timeout) }
    },
  })
  endpoint(app, '/scripts/:name/replay', {
    POST: async (request) => {
      const { seq, since, preview } = parseQuery(replayQuery, request.query)
      const start = startOf(seq, since)
      const isPreview = isFlag(preview)
      const name = nameOf(request)
      const range = await store.replayRange(name, start)
      if (range === null) throw unknownScript(name, names())
      if (isPreview) return { ...range, preview: true }
      const until = (await store.replaySince(name, range.since)) ?? range.until
      onOwed()
      return { ...range, until, preview: false }
    },
  })

  endpoint(app, '/pause', { POST: async () => ({ Changed: await pauses.pause(null) }) })
  endpoint(app, '/resume', { POST: async () => ({ Changed: await pauses.unpause(null) }) })
  endpoint(app, '/drain', {
    POST: async (request) => {
      const { timeout } = parseQuery(drainQuery, request.query)
      const changed = await pauses.pause(null)
      return { Changed: changed, Drained: await within(drained(null), timeout) }
    },
  })
  endpoint(app, '/backlog', { GET: () => store.backlog() })
}

function notForgotten(name: string, because: Exclude<Forgotten, 'forgotten'>): OnStableError {
  switch (because) {
    case 'file-there':
      return fault('bad-request', `The file of "${name}" is there: remove that first`)
    case 'not-parked':
      return fault(
        'bad-request',
        `Another server may have the file of "${name}": remove it there while that runs; if none has it, save it here and remove it again`,
      )
    case 'never-in-force':
      return fault('bad-request', `"${name}" was never in force: remove its file, and it is gone`)
    default:
      return because satisfies never
  }
}

function startOf(seq: number | undefined, atMs: number | undefined): ReplayStart {
  if (seq !== undefined && atMs === undefined) return { seq }
  if (atMs !== undefined && seq === undefined) return { atMs }
  throw fault(
    'bad-parameter',
    'Expected either "seq", the number of a change, or "since", a time such as 2026-11-26T08:00:00Z',
  )
}

async function within(happening: Promise<void>, seconds: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), seconds * 1_000)
  try {
    return await Promise.race([happening.then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
