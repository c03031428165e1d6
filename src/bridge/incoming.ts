/**
 * What a message of the queue says. Producers have no common format, so several are read: CloudEvents of ours and of
 * others, items of Orthanc's `/changes`, an instance's tags as JSON, an identifier alone.
 */
import { z } from 'zod'
import { type Header, headerOfTags, identifierPattern, levels, type ParentLevel } from '../dicom/dicom.ts'
import { fault, OnStableError } from '../errors.ts'
import type { Command } from '../store/store.ts'
import { sourceOf } from './cloud-event.ts'

export type Incoming =
  /** An instance that is held elsewhere, with its tags. */
  | { readonly kind: 'told'; readonly header: Header; readonly remoteAet: string }
  /** One of which only the identifier was said. */
  | { readonly kind: 'named'; readonly id: string }
  | { readonly kind: 'command'; readonly id: string; readonly command: Command }
  /** One of our own (`announcements.ts`): all that was sent before it came before it. */
  | { readonly kind: 'mark'; readonly id: string }
  /** Well known, and nothing that arrives. */
  | { readonly kind: 'passed-over' }

/** A message as the broker delivers it. */
export interface Delivered {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, unknown>>
}

export const markType = 'onstable.mark'
/** Orthanc's number for a new instance, as its plugins see it. */
const newInstanceNumber = 3
const largestBytes = 1_048_576
const longestId = 500
/** What a producer wrote, in a reason. */
const mostQuoted = 100

const identifier = z
  .string()
  .regex(identifierPattern, 'Expected an identifier of Orthanc, five groups of eight digits')
/** No database keeps a zero. */
const word = z.string().regex(/^[^\0]{1,200}$/, 'Expected text of up to 200 characters')
const level = z
  .string()
  .transform((text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase())
  .pipe(z.enum(levels).exclude(['Instance'])) as z.ZodType<ParentLevel>
const event = z.object({
  specversion: z.string(),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  data: z.unknown(),
})
type Event = z.infer<typeof event>

const arrival = z.object({
  tags: z.record(z.string(), z.unknown()),
  remoteAet: z.string().max(16).default(''),
})
const settle = z.object({ level, id: identifier })
const run = z.object({
  script: word,
  callback: word.optional(),
  level: level.default('Study'),
  id: identifier,
})
const numbered = z.object({ change_type: z.number(), resource_id: z.string() })
const change = z.object({ ChangeType: z.string(), ID: identifier })
const told = z.object({
  dicom: z.record(z.string(), z.unknown()).optional(),
  tags: z.record(z.string(), z.unknown()).optional(),
  instanceId: identifier.optional(),
  SOPInstanceUID: z.string().optional(),
})

/**
 * @param epoch of this server's log: its own events are passed over
 * @throws `bad-message`, which says what is wrong
 */
export function readIncoming(message: Delivered, epoch: string): Incoming {
  try {
    return read(message, epoch)
  } catch (thrown) {
    if (thrown instanceof z.ZodError) throw badMessage(faultIn(thrown), thrown)
    if (thrown instanceof OnStableError && thrown.code !== 'bad-message')
      throw badMessage(thrown.message, thrown)
    throw thrown
  }
}

/** What is wrong first, and where. */
function faultIn({ issues: [issue] }: z.ZodError): string {
  const place = issue!.path.join('.')
  return place === '' ? issue!.message : `At "${place}": ${issue!.message}`
}

function read({ body, headers }: Delivered, epoch: string): Incoming {
  if (body.length > largestBytes) throw badMessage(`It has ${body.length} bytes; ${largestBytes} are read`)
  const text = body.toString('utf8').trim()
  if (identifierPattern.test(text)) return { kind: 'named', id: text }
  const value = parsed(text)
  if (typeof value === 'string' && identifierPattern.test(value)) return { kind: 'named', id: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badMessage('Expected a JSON object, or the identifier of an instance')
  const attributes = attributesIn(headers)
  if ('specversion' in value) return readEvent(event.parse(value), epoch)
  if (attributes !== null) return readEvent(event.parse({ ...attributes, data: value }), epoch)
  return readObject(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badMessage('It is neither JSON nor the identifier of an instance', cause)
  }
}

/** Of a CloudEvent whose attributes are headers (its binary mode); null: it is none. */
function attributesIn(headers: Delivered['headers']): Record<string, unknown> | null {
  const attributes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(headers)) {
    const [, attribute] = /^cloudEvents[:_]([a-z0-9]+)$/.exec(name) ?? []
    if (attribute !== undefined) attributes[attribute] = value
  }
  return 'specversion' in attributes ? attributes : null
}

function readEvent({ id, source, type, data }: Event, epoch: string): Incoming {
  const key = JSON.stringify([source, id])
  switch (type) {
    case 'onstable.arrival': {
      const { tags, remoteAet } = arrival.parse(data)
      return { kind: 'told', header: headerOfTags(tags), remoteAet }
    }
    case 'onstable.command.settle':
      return commanded(key, { kind: 'settle', ...settle.parse(data) })
    case 'onstable.command.run': {
      const { callback, ...what } = run.parse(data)
      return commanded(key, { kind: 'run', callback: callback ?? `onStable${what.level}`, ...what })
    }
    case markType:
      // Of another cluster that reads from the same queue: it says nothing here.
      return source === sourceOf(epoch) ? { kind: 'mark', id } : { kind: 'passed-over' }
    case 'orthanc-server-extensions.change-event': {
      const { change_type, resource_id } = numbered.parse(data)
      if (change_type !== newInstanceNumber) return { kind: 'passed-over' }
      return { kind: 'named', id: identifier.parse(resource_id) }
    }
    default:
      if (source === sourceOf(epoch)) return { kind: 'passed-over' }
      if (type.startsWith('onstable.command.'))
        throw badMessage(`There is no command "${type.slice(0, mostQuoted)}"`)
      if (typeof data !== 'object' || data === null)
        throw badMessage(`An event of type "${type.slice(0, mostQuoted)}" without data that is known`)
      return readObject(data)
  }
}

function commanded(id: string, command: Command): Incoming {
  if (id.length > longestId || id.includes('\0'))
    throw badMessage(`Source and id of a command are text of up to ${longestId} characters`)
  return { kind: 'command', id, command }
}

function readObject(value: object): Incoming {
  if ('ChangeType' in value) {
    const { ChangeType, ID } = change.parse(value)
    return ChangeType === 'NewInstance' ? { kind: 'named', id: ID } : { kind: 'passed-over' }
  }
  const { dicom, tags, instanceId, SOPInstanceUID } = told.parse(value)
  const simplified =
    dicom ?? tags ?? (SOPInstanceUID === undefined ? undefined : (value as Record<string, unknown>))
  if (simplified === undefined) {
    if (instanceId !== undefined) return { kind: 'named', id: instanceId }
    throw badMessage(
      'Expected tags of an instance ("dicom"), its identifier ("instanceId"), or a change of Orthanc',
    )
  }
  const header = headerOfTags(simplified)
  if (instanceId !== undefined && instanceId !== header.ids.instance)
    throw badMessage(`Its tags are of the instance ${header.ids.instance}, and it says ${instanceId}`)
  return { kind: 'told', header, remoteAet: '' }
}

function badMessage(what: string, cause?: unknown) {
  return fault('bad-message', what, { cause })
}
