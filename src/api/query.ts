/** Reads the query of a request; a repeated parameter counts once. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fault } from '../errors.ts'
import { callbacks } from '../scripts/scripts.ts'
import { unknownResource } from './errors.ts'

/** A parameter's text; the first, if it is given several times. */
export const text = z.preprocess((value) => (Array.isArray(value) ? value[0] : value), z.string())

/** A whole number, with or without a sign. */
export const whole = text
  .pipe(z.string().regex(/^[+-]?\d{1,15}$/, 'Expected a whole number'))
  .transform(Number)

/** A time as ISO 8601 or a day; without a zone it is UTC. Milliseconds since 1970. */
export const moment = text.transform((value, context) => {
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(value)
  const ms = /^\d{4}-\d\d-\d\d([T ]\S+)?$/.test(value)
    ? Date.parse(value.length === 10 || hasZone ? value : `${value}Z`)
    : Number.NaN
  // A 31st of February would be taken for a day in March.
  const day = value.slice(0, 10)
  const dayMs = Date.parse(`${day}T00:00:00Z`)
  const isDay = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().startsWith(day)
  if (isDay && !Number.isNaN(ms)) return ms
  context.addIssue({ code: 'custom', message: 'Expected a time such as 2026-11-26T08:00:00Z' })
  return z.NEVER
})

/** A callback. */
export const callbackName = text.pipe(z.enum(Object.keys(callbacks)))

/** Some of a few words, with commas between. */
export function listOf<const Word extends string>(words: readonly Word[]) {
  return text.transform((value, context) => {
    const given = value.split(',').filter((word) => word !== '')
    const unknown = given.find((word) => !words.some((known) => known === word))
    if (unknown === undefined) return given as Word[]
    context.addIssue({ code: 'custom', message: `"${unknown}" is none of ${words.join(', ')}` })
    return z.NEVER
  })
}

/** Numbers, with commas between: from 1 to 1,000 of them. */
export const numbers = text
  .pipe(z.string().regex(/^\d{1,15}(,\d{1,15}){0,999}$/, 'Expected up to 1,000 numbers with commas between'))
  .transform((value) => value.split(',').map(Number))

/** The parameter `limit` of our own lists, from 1. */
export function limitOf(usual: number, most = 1_000) {
  return whole.pipe(z.number().min(1).max(most)).default(usual)
}

/** Whether a parameter that only has to be there is. */
export const isFlag = (value: string | undefined): boolean => value !== undefined && value !== 'false'

/** The number in the path. @throws `unknown-resource` */
export function numberOf(request: FastifyRequest): number {
  const { id } = request.params as { id: string }
  if (/^\d{1,15}$/.test(id)) return Number(id)
  throw unknownResource()
}

/**
 * Routes of Orthanc take any parameter, as there; ours have strict schemas, since a filter that is misspelt would match
 * everything.
 * @throws `bad-parameter`, naming the parameter
 */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(query)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
    const expected = known.length === 0 ? 'none' : `only ${known.join(', ')}`
    throw fault(
      'bad-parameter',
      `Query parameter "${issue.keys[0]}": there is none of this name; expected ${expected}`,
    )
  }
  throw fault('bad-parameter', `Query parameter "${issue.path.join('.')}": ${issue.message}`)
}
