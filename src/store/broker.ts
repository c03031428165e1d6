/** What a store keeps for a message broker: how far the log was published, what it announced, what it commanded. */
import type { ParentLevel } from '../dicom/dicom.ts'
import type { Change } from './change.ts'

/** So long after the last server that followed the announcements, windows wait for them no more. */
export const announcedForMs = 3_600_000
/** So long it is known that a command was carried out. */
export const commandsKeptMs = 30 * 86_400_000

/** A change as it is published. */
export interface LoggedChange extends Change {
  /** Identifier of its study, or of the patient that it is about. */
  readonly key: string
  /** What it tells, as JSON, if that was fixed with it. */
  readonly event: string | null
}

/** This server publishes: from after `cursor` on, for as long as the fence is the same. */
export interface RelayTurn {
  readonly cursor: number
  readonly fence: number
}

export interface RelayState {
  /** Up to here all was published. */
  readonly cursor: number
  /** The last change of the log. */
  readonly last: number
  /** The server that publishes; null: none does now. */
  readonly node: string | null
}

export interface Announcements {
  readonly nowMs: number
  /** Whether windows may fire now that were held. */
  readonly released: boolean
  /** Whether any are held. */
  readonly isWaitedFor: boolean
}

export type Command =
  | { readonly kind: 'settle'; readonly level: ParentLevel; readonly id: string }
  | {
      readonly kind: 'run'
      readonly script: string
      /** One that is told that a resource is stable. */
      readonly callback: string
      readonly level: ParentLevel
      readonly id: string
    }

/** `repeated`: it was carried out before. `nothing-to-tell`: the resource has not been stable yet. */
export type Commanded =
  | 'done'
  | 'repeated'
  | 'unknown-resource'
  | 'unknown-script'
  | 'unknown-callback'
  | 'nothing-to-tell'
