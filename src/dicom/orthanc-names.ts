/** How Orthanc writes levels, paths and times. */
import type { Level } from './dicom.ts'

/** The path of each level. */
export const folders = {
  Patient: 'patients',
  Study: 'studies',
  Series: 'series',
  Instance: 'instances',
} as const

export function pathOf(level: Level, id: string): string {
  return `/${folders[level]}/${id}`
}

/** UTC, whole seconds: `20261123T181238`. */
export function orthancTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
}

/** What happened to a resource. */
interface Happened {
  readonly seq: number
  readonly type: string
  readonly level: Level
  readonly id: string
  readonly atMs: number
}

/** An item of `/changes`. */
export function orthancChange({ seq, type, level, id, atMs }: Happened): object {
  return {
    ChangeType: type.startsWith('Deleted') ? 'Deleted' : type,
    Date: orthancTime(atMs),
    ID: id,
    Path: pathOf(level, id),
    ResourceType: level,
    Seq: seq,
  }
}

/** An identifier of any level. */
export const identifierPattern = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/
