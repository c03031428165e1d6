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

/** An identifier of any level. */
export const identifierPattern = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/
