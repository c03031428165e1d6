/**
 * What a callback script sees: the events it is told, the host it may ask, and what it says of itself.
 * `import type { Host, Script, StableStudy } from 'onstable'`
 */
declare module 'onstable' {
  export type Level = 'Patient' | 'Study' | 'Series' | 'Instance'

  /** DICOM keyword to value, such as `{ PatientID: 'X1' }`; several values are joined by a backslash. */
  export type Tags = Readonly<Partial<Record<string, string>>>

  /** Where instances came from. */
  export interface Origin {
    readonly requestOrigin: 'DicomProtocol' | 'RestApi' | 'Folder'
    /** AE title of the sender; empty if it did not come by DICOM. */
    readonly remoteAet: string
    readonly remoteIp: string
    readonly calledAet: string
    readonly username: string
  }

  interface Event {
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

  export interface NewPatient extends Event {
    readonly level: 'Patient'
    readonly tags: Tags
    readonly origin: Origin
  }
  export interface NewStudy extends Event {
    readonly level: 'Study'
    readonly tags: Tags
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient'>
    readonly origin: Origin
  }
  export interface NewSeries extends Event {
    readonly level: 'Series'
    readonly tags: Tags
    readonly studyTags: Tags
    readonly patientTags: Tags
    readonly parents: Pick<Parents, 'patient' | 'study'>
    readonly origin: Origin
  }
  export interface StoredInstance extends Event {
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

  interface Stable extends Event {
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
  export type Deleted = Event & { readonly tags: Tags }
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
  export type Change = Event & { readonly [property: string]: unknown }

  type Algorithm = 'sha256' | 'sha384' | 'sha512' | 'sha1' | 'md5'

  export interface HttpRequest {
    readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
    readonly headers?: Readonly<Record<string, string>>
    /** Text as it is; anything else is sent as JSON. */
    readonly body?: unknown
    /** 30,000 unless told otherwise; at most 3,600,000. */
    readonly timeoutMs?: number
    /** Gives the request up: it fails with the reason, and its connection is closed. */
    readonly signal?: AbortSignal | null
  }
  export interface HttpResponse {
    readonly status: number
    readonly ok: boolean
    readonly headers: Readonly<Record<string, string>>
    readonly text: string
    json(): unknown
  }

  /** Something of the archive: every event is one. */
  export interface Reference {
    readonly level: Level
    readonly id: string
  }

  export interface Host {
    /** A line in the run's record and in the server's log. Do not log what identifies a patient. */
    log(...values: unknown[]): void
    /** Reads one of the server's own resource routes, such as `/studies/{id}/series`; null if it is not there. */
    get(path: string): Promise<unknown>
    /** Sends the instances of a resource to a configured modality by C-STORE. Needs `send`. */
    send(resource: Reference, modality: string): Promise<{ readonly sent: number }>
    /** A request to an origin that the administrator granted. Needs `http`. */
    http(url: string, request?: HttpRequest): Promise<HttpResponse>
    /** Hexadecimal digest of a text as UTF-8; with a key its HMAC, which nobody can compute without that. */
    hash(algorithm: Algorithm, text: string, key?: string): Promise<string>
    /**
     * To be thrown: the callback is told the same again after that time, instead of after the next `retry.delay`. It
     * counts as a try. `throw host.retryAfter('10m', 'The archive is asleep')`
     * @param wait a duration such as `'10m'`, or milliseconds; at most 30 days
     */
    retryAfter(wait: string | number, reason?: string): Error
    /** To be thrown: this is set aside at once, however many tries are left. `throw host.giveUp('No such patient')` */
    giveUp(reason?: string): Error
    /** Memory of this script that outlives restarts. What a failed run wrote is forgotten. */
    readonly kv: {
      get(key: string): Promise<unknown>
      set(key: string, value: unknown): Promise<void>
      delete(key: string): Promise<void>
      list(prefix?: string): Promise<ReadonlyArray<{ readonly key: string; readonly value: unknown }>>
    }
  }

  export interface Script {
    /** What the script asks for. What the administrator has not granted makes the load fail. */
    readonly needs?: {
      /** Names of modalities. */
      readonly send?: readonly string[]
      /** Origins with a path prefix, such as `https://ris.example.org/`. */
      readonly http?: readonly string[]
    }
    readonly retry?: {
      /** Tries in all, the first included, at most 100. Default 8. */
      readonly attempts?: number
      readonly backoff?: 'exponential' | 'fixed'
      /** Wait before the second try, such as `'1s'`. Default 1 s. */
      readonly delay?: string
      /** How long after its change a delivery is still tried, such as `'7d'`. Default: for as long as there are tries. */
      readonly maxAge?: string | null
    }
    /**
     * What is told in order: all about one of these waits for what came before it, also while that is tried again;
     * `none`: everything is told as it comes. Default `study`.
     */
    readonly key?: 'patient' | 'study' | 'series' | 'resource' | 'none'
    /**
     * Of a resource that becomes stable again after this script has finished a revision of it. `rerun`: told of all
     * of it. `delta`: told if something was added or removed, and `host.send` of it sends only what was added.
     * `ignore`: not told. Default `rerun`.
     */
    readonly late?: 'rerun' | 'delta' | 'ignore'
    /** How often `onHeartbeat` is told, such as `'5m'`; at least 1 s. */
    readonly every?: string | null
    /** Longest run, waiting included, such as `'30s'` or `'5m'`. Default 30 s. */
    readonly timeout?: string
    /** How long of that it may be at work. Default 10 s. */
    readonly cpu?: string
    /** Heap in megabytes. Default 64. */
    readonly memoryMb?: number
    /**
     * Runs at a time, from 1 to 16; of one study never two. Each is in an isolate of its own, with globals of its
     * own; what they write to the same key of `host.kv` is decided by who ends last. Default 1.
     */
    readonly concurrency?: number
    /** `process`: never in one process with other scripts. Default `shared`. */
    readonly isolation?: 'shared' | 'process'
  }

  type Told = void | Promise<void>
  /** The callbacks that a script may export. */
  export interface Callbacks {
    initialize?(host: Host): Told
    finalize?(host: Host): Told
    onNewPatient?(patient: NewPatient, host: Host): Told
    onNewStudy?(study: NewStudy, host: Host): Told
    onNewSeries?(series: NewSeries, host: Host): Told
    onStoredInstance?(instance: StoredInstance, host: Host): Told
    onStablePatient?(patient: StablePatient, host: Host): Told
    onStableStudy?(study: StableStudy, host: Host): Told
    onStableSeries?(series: StableSeries, host: Host): Told
    onDeletedPatient?(patient: Deleted, host: Host): Told
    onDeletedStudy?(study: Deleted, host: Host): Told
    onDeletedSeries?(series: Deleted, host: Host): Told
    onDeletedInstance?(instance: Deleted, host: Host): Told
    onHeartbeat?(beat: Heartbeat, host: Host): Told
    onChange?(change: Change, host: Host): Told
  }
}
