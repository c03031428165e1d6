/** A message that was set aside, as somebody may look at it. */
import type { SyncMessage } from 'rabbitmq-client'
import { z } from 'zod'
import { bytesOf, reasonHeader } from './copy.ts'

export interface Letter {
  /** Why it was set aside; null: nobody said. */
  readonly reason: string | null
  readonly sizeBytes: number
  /** What it begins with. */
  readonly start: string
}

const shownCharacters = 300

/** What RabbitMQ says of one that it set aside itself ("Dead Letter Exchanges", x-death), the latest first. */
const deaths = z.tuple([z.object({ reason: z.string() })]).rest(z.unknown())

export function letterOf({ headers, body }: Pick<SyncMessage, 'headers' | 'body'>): Letter {
  const bytes = bytesUnlessTooDeep(body)
  return {
    reason: reasonIn(headers ?? {}),
    sizeBytes: bytes.length,
    start: bytes.toString('utf8', 0, shownCharacters * 4).slice(0, shownCharacters),
  }
}

function reasonIn(headers: Readonly<Record<string, unknown>>): string | null {
  const ours = headers[reasonHeader]
  if (typeof ours === 'string') return ours
  const theirs = deaths.safeParse(headers['x-death'])
  return theirs.success ? `RabbitMQ set it aside: ${theirs.data[0].reason}` : null
}

function bytesUnlessTooDeep(body: SyncMessage['body']): Buffer {
  try {
    return bytesOf(body)
  } catch {
    return Buffer.of()
  }
}
