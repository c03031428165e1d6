/**
 * A change as a CloudEvent (CloudEvents 1.0, JSON format) in an AMQP 0-9-1 message. What is published names the
 * resource and says what a receiver has to decide by; names and birth dates are not in it.
 */
import type { Envelope } from 'rabbitmq-client'
import { orthancChange, pathOf } from '../dicom/dicom.ts'
import type { ChangeType, LoggedChange } from '../store/store.ts'

export interface Message {
  readonly envelope: Omit<Envelope, 'exchange' | 'routingKey'>
  readonly body: Buffer
}

export const cloudEventType = 'application/cloudevents+json'

/** `StableStudy` → `study.stable`: the routing key, and with `onstable.` before it the type of the event. */
export function topicOf(type: ChangeType): string {
  const [, kind, level] = /^(New|Completed|Stable|Deleted)(\w+)$/.exec(type)!
  return `${level!.toLowerCase()}.${kind!.toLowerCase()}`
}

/** @param epoch names the log for ever; with the number it is the id, the same however often a change is published */
export function changeMessage(change: LoggedChange, epoch: string): Message {
  const { seq, type, level, id, key, atMs } = change
  // Extension `sequence` of CloudEvents: ordered as text.
  const sequence = String(seq).padStart(16, '0')
  const attributes = {
    specversion: '1.0',
    id: `${epoch}-${sequence}`,
    source: sourceOf(epoch),
    type: `onstable.${topicOf(type)}`,
    subject: pathOf(level, id).slice(1),
    time: new Date(atMs).toISOString(),
    partitionkey: key,
    sequence,
  }
  const data = {
    ...orthancChange(change),
    ...(change.event === null ? {} : factsOf(level, JSON.parse(change.event) as ToldEvent)),
  }
  const body = Buffer.from(JSON.stringify({ ...attributes, datacontenttype: 'application/json', data }))
  const headers = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`cloudEvents_${name}`, value]),
  )
  const envelope = {
    messageId: attributes.id,
    type: attributes.type,
    appId: 'onstable',
    timestamp: Math.floor(atMs / 1_000),
    contentType: cloudEventType,
    durable: true,
    headers,
  }
  return { envelope, body }
}

export const sourceOf = (epoch: string) => `/onstable/${epoch}`

interface ToldEvent {
  readonly tags?: Readonly<Record<string, string>>
  readonly studyTags?: Readonly<Record<string, string>>
  readonly patientTags?: Readonly<Record<string, string>>
  readonly revision?: number
  readonly trigger?: string
  readonly modalities?: readonly string[]
  readonly counts?: { readonly series: number; readonly instances: number }
}

/** What is not known is left out. */
function factsOf(level: LoggedChange['level'], event: ToldEvent): object {
  const { tags, revision, trigger, modalities, counts } = event
  const patient = event.patientTags ?? (level === 'Patient' ? tags : undefined)
  const study = event.studyTags ?? (level === 'Study' ? tags : undefined)
  return {
    Revision: revision,
    Trigger: trigger,
    Modalities: modalities,
    Series: counts?.series,
    Instances: counts?.instances,
    PatientID: patient?.PatientID,
    StudyInstanceUID: study?.StudyInstanceUID,
    AccessionNumber: study?.AccessionNumber,
    SeriesInstanceUID: level === 'Series' ? tags?.SeriesInstanceUID : undefined,
  }
}
