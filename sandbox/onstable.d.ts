/**
 * What a callback script sees: the host it may ask, what it says of itself, and its callbacks.
 * `import type { Host, Script, StableStudy } from 'onstable'`
 */
/// <reference path="./events.d.ts" />
declare module 'onstable' {
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
      /**
       * All below a prefix, in the order of the keys, up to 1,000 entries and 4 MB; more is an error. With `after` a page
       * of so many after that key, from the beginning after `''`; an empty one is the end.
       */
      list(
        prefix?: string,
        page?: { readonly after: string },
      ): Promise<ReadonlyArray<{ readonly key: string; readonly value: unknown }>>
    }
  }

  /** What a question may ask of the host: it has no effects. */
  export type AskHost = Pick<Host, 'log' | 'get' | 'hash'> & { readonly kv: Pick<Host['kv'], 'get' | 'list'> }

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
    /** Of the filters: how long an answer is waited for (default 100 ms), and what counts without one. */
    readonly ask?: { readonly timeout?: string; readonly onFailure?: 'accept' | 'reject' }
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
  type Answer<T> = T | Promise<T>
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
    receivedInstanceFilter?(instance: ReceivedInstance, host: AskHost): Answer<boolean>
    /** `false`: status 0x0124. A number: the DIMSE status that the sender is told; 0 keeps the instance. */
    receivedCStoreInstanceFilter?(instance: ReceivedInstance, host: AskHost): Answer<boolean | number>
    incomingHttpRequestFilter?(request: IncomingRequest, host: AskHost): Answer<boolean>
  }
}
