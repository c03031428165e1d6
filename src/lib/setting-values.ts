/** What values of settings may be. */
import { z } from 'zod'

/** A number, or its text in a flag or a variable. Zod's own coercion would take an empty text for 0. */
export function number(expected: string, isGood: (value: number) => boolean) {
  return z.preprocess(
    (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
    z.custom<number>((value) => typeof value === 'number' && isGood(value), `Expected ${expected}`),
  )
}

export const isWhole = Number.isInteger
export const port = number(
  'a port from 0 to 65535',
  (value) => isWhole(value) && value >= 0 && value <= 65_535,
)
const monthSeconds = 30 * 86_400
export const seconds = number(
  `seconds, more than 0 and at most ${monthSeconds}`,
  (value) => value > 0 && value <= monthSeconds,
)
export const days = number('days, more than 0', (value) => value > 0)
export const megabytes = number('megabytes from 1 on', (value) => value >= 1)
const aeTitleText = 'Expected an AE title of 1 to 16 characters'
export const aeTitle = z.string(aeTitleText).trim().min(1, aeTitleText).max(16, aeTitleText)
export const strings = z.array(z.string().min(1))

export const modality = z.strictObject({
  aet: aeTitle.describe('AE title of the receiver'),
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535),
})

export const stabilityRule = z
  .strictObject({
    level: z.enum(['patient', 'study', 'series']).optional(),
    modality: z.string().min(1).optional(),
    remoteAet: z.string().min(1).optional(),
    stableAge: seconds.optional(),
    maxWait: seconds.optional(),
  })
  .refine((rule) => rule.stableAge !== undefined || rule.maxWait !== undefined, {
    message: 'Expected "stableAge", "maxWait" or both',
  })
  .refine(
    (rule) => !(rule.stableAge !== undefined && rule.maxWait !== undefined && rule.maxWait <= rule.stableAge),
    {
      message: 'Expected "maxWait" to be longer than "stableAge"',
    },
  )

export const grant = z.strictObject({ send: strings.default([]), http: strings.default([]) })

/** `sqlite`, or the address of a database. */
export const storeUrl = z
  .string()
  .refine((value) => value === 'sqlite' || /^postgres(ql)?:\/\/.+/.test(value), {
    message: 'Expected "sqlite" or "postgres://user@host:5432/database"',
  })

/** Whether its parts can be read, too. */
function isUrl(value: string): boolean {
  try {
    const { username, password, pathname } = new URL(value)
    return [username, password, pathname].map(decodeURIComponent).length > 0
  } catch {
    return false
  }
}

/** The address of a message broker. */
export const brokerUrl = z.string().refine((value) => /^amqps?:\/\/[^/]/.test(value) && isUrl(value), {
  message: 'Expected "amqp://user:password@host:5672/vhost", or "amqps://"; a "%" in it is written "%25"',
})

/** Of a queue or an exchange (AMQP 0-9-1, a short string); empty: none. */
export const brokerName = z
  .string()
  .refine((value) => Buffer.byteLength(value) <= 200 && !value.startsWith('amq.'), {
    message: 'Expected a name of up to 200 bytes that does not begin with "amq."',
  })

export const httpUrl = z.string().refine((value) => /^https?:\/\/./.test(value) && isUrl(value), {
  message:
    'Expected "http://host:8042", with "user:password@" before the host where one is needed; a "%" in it is written "%25"',
})

/** Also the name of a folder. */
export const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'Expected up to 63 letters, digits, ".", "_" and "-"')
