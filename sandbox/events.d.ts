/** What callbacks are told, and what they are asked about. Types only. */
declare module 'onstable' {
  export type Level = 'Patient' | 'Study' | 'Series' | 'Instance'

  /** DICOM keyword to value, such as `{ PatientID: 'X1' }`; several values are joined by a backslash. */
  export type Tags = Readonly<Partial<Record<string, string>>>

  /** Where instances came from. */
  export interface Origin {
    readonly requestOrigin: 'DicomProtocol' | 'RestApi' | 'Folder' | 'Broker'
    /** AE title of the sender; empty if it did not come by DICOM. */
    readonly remoteAet: string
    readonly remoteIp: string
    readonly calledAet: string
    readonly username: string
    /** Of what a script posted to this server: the idempotency key of that run. */
    readonly cause?: string
  }

  interface Occurrence {
    /** Number of the change in the log. */
    readonly seq: number
    /** The kind of change, such as `StableStudy`. */
    readonly change: string
    /** When the change was committed: ISO 8601, UTC. */
    readonly at: string
    readonly level: Level
    /** The identifier that Orthanc gives the resource. */
    readonly id: string
    /** The same for every attempt at this event by this callback: hand it on to make an effect happen once. */
    readonly idempotencyKey: string
    /** 1 at the first try. */
    readonly attempt: number
  }

  type Parents = Readonly<Record<'patient' | 'study' | 'series', string>>

  export interface NewPatient extends Occurrence {
    readonly level: 'Patient'
    readonly tags: Tags
    readonly origin: Origin
  }
  export interface NewStudy extends Occurrence {
    readonly level: 'Study'
    readonly tags: Tags
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient'>
    readonly origin: Origin
  }
  export interface NewSeries extends Occurrence {
    readonly level: 'Series'
    readonly tags: Tags
    readonly studyTags: Tags
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient' | 'study'>
    readonly origin: Origin
  }
  export interface StoredInstance extends Occurrence {
    readonly level: 'Instance'
    readonly tags: Tags
    readonly seriesTags: Tags
    readonly studyTags: Tags
    readonly patientTags: Tags
    readonly parents: Parents
    readonly origin: Origin
    readonly sopClassUid: string
    readonly transferSyntaxUid: string
    readonly sizeBytes: number
  }

  /** The lists name at most 1,000 each. */
  export interface Difference {
    readonly seriesCount: number
    readonly instanceCount: number
    readonly series: readonly string[]
    readonly instances: readonly string[]
  }

  interface Stable extends Occurrence {
    readonly tags: Tags
    readonly counts: { readonly studies: number; readonly series: number; readonly instances: number }
    /** All modalities below this resource, sorted. */
    readonly modalities: readonly string[]
    /** Everyone who sent a part of it. */
    readonly origins: readonly Origin[]
    readonly firstArrival: string
    readonly lastArrival: string
    /** The n-th time that the resource became stable, from 1. */
    readonly revision: number
    /** The last revision that this callback finished; 0: none. */
    readonly sinceRevision: number
    /** What came since then: of a first revision, everything. */
    readonly added: Difference
    /** What was deleted since then, as far back as the log goes. */
    readonly removed: Difference
    /** Why now: it was quiet, somebody forced it, or it had waited as long as it may. */
    readonly trigger: 'quiet' | 'forced' | 'deadline'
  }
  export type StablePatient = Stable & { readonly level: 'Patient' }
  export interface StableStudy extends Stable {
    readonly level: 'Study'
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient'>
  }
  export interface StableSeries extends Stable {
    readonly level: 'Series'
    readonly studyTags: Tags
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient' | 'study'>
  }

  /** What was deleted, as it last was. */
  export type Deleted = Occurrence & { readonly tags: Tags }
  /** The time that `script.every` says has passed. */
  export interface Heartbeat {
    /** When it was due, and when it is told: ISO 8601, UTC. */
    readonly dueAt: string
    readonly at: string
    /** How many before it were not told, while the server was down or the script was busy, paused or broken. */
    readonly missed: number
    readonly everyMs: number
    readonly idempotencyKey: string
    readonly attempt: number
  }
  /** Any change; see the event of its kind for what else it says. */
  export type Change = Occurrence & { readonly [property: string]: unknown }

  /** An instance that has come and is not kept yet. */
  export type ReceivedInstance = Omit<StoredInstance, keyof Occurrence> & {
    readonly level: 'Instance'
    readonly id: string
    readonly hasPixelData: boolean
  }
  export interface IncomingRequest {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string | readonly string[]>>
    /** Without those that say who somebody is. */
    readonly headers: Readonly<Record<string, string>>
    readonly remoteIp: string
  }
}
