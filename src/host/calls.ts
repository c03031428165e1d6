/**
 * The wall between a script and the host: every call that a script can make, with its strict schema.
 */
import { z } from 'zod'
import { hashAlgorithms } from './hash-call.ts'

const level = z.enum(['Patient', 'Study', 'Series', 'Instance'])
const id = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/, 'Expected an identifier as Orthanc writes it')
/** What every store can keep: no database has half of a character, and PostgreSQL no zero. */
const storable = (length: number) =>
  z
    .string()
    .max(length)
    .refine(
      (text) => text.isWellFormed() && !text.includes('\0'),
      'Expected whole characters, and none that is zero',
    )
const key = storable(512).min(1)
/** As long as a run can last; a timer would take much more for 1 ms. */
const mostTimeoutMs = 3_600_000

export const hostCall = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('get'), path: z.string().startsWith('/').max(2048) }),
  z.strictObject({ name: z.literal('send'), level, id, modality: z.string().min(1).max(64) }),
  z.strictObject({
    name: z.literal('http'),
    url: z.url({ protocol: /^https?$/ }).max(8192),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    headers: z.record(z.string().max(256), z.string().max(8192)),
    body: z.string().nullable(),
    timeoutMs: z.number().int().positive().max(mostTimeoutMs).nullable(),
  }),
  z.strictObject({
    name: z.literal('hash'),
    algorithm: z.enum(hashAlgorithms),
    text: z.string(),
    key: z.string().nullable(),
  }),
  z.strictObject({ name: z.literal('kv.get'), key }),
  /** `value` is JSON text. */
  z.strictObject({ name: z.literal('kv.set'), key, value: storable(1024 * 1024) }),
  z.strictObject({ name: z.literal('kv.delete'), key }),
  z.strictObject({ name: z.literal('kv.list'), prefix: storable(512), after: storable(512).nullable() }),
])
export type ParsedHostCall = z.infer<typeof hostCall>
