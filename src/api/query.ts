/** Reads the query of a request; a repeated parameter counts once. */
import { z } from 'zod'
import { fault } from '../errors.ts'

/** A parameter's text; the first, if it is given several times. */
export const text = z.preprocess((value) => (Array.isArray(value) ? value[0] : value), z.string())

/** A whole number, with or without a sign. */
export const whole = text
  .pipe(z.string().regex(/^[+-]?\d{1,15}$/, 'Expected a whole number'))
  .transform(Number)

/** @throws `bad-parameter`, naming the parameter */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(query)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw fault('bad-parameter', `Query parameter "${issue.path.join('.')}": ${issue.message}`)
}
