/** The globals of an isolate besides those of the language. A run's timers end with the run. */

/** Writes to the run's record. */
declare const console: Record<
  ('debug' | 'log' | 'info' | 'warn' | 'error') | ('dir' | 'group' | 'groupCollapsed' | 'groupEnd' | 'trace'),
  (...values: unknown[]) => void
> & {
  /** A line for each row; a column for each property. */
  table(rows: unknown, columns?: readonly string[]): void
  assert(condition: unknown, ...values: unknown[]): void
  count(label?: string): void
  countReset(label?: string): void
  time(label?: string): void
  timeLog(label?: string, ...values: unknown[]): void
  timeEnd(label?: string): void
}

declare function setTimeout<A extends unknown[]>(
  callback: (...values: A) => void,
  delayMs?: number,
  ...values: A
): number
declare function clearTimeout(timer: number | undefined): void
declare function queueMicrotask(callback: () => void): void
declare function structuredClone<T>(value: T, options?: { readonly transfer?: Iterable<ArrayBuffer> }): T
/** What web functions throw: `name` says what it is, such as `AbortError`. */
declare class DOMException extends Error {
  constructor(message?: string, name?: string)
  /** Of the older names; 0 of the others. */
  readonly code: number
}
/** Base64 of a text whose characters are bytes. */
declare function btoa(binary: string): string
declare function atob(base64: string): string

/** Random numbers that nobody can foretell. For digests there is `host.hash`. */
declare const crypto: {
  /** Fills an array of at most 65,536 bytes, and returns it. */
  getRandomValues<
    A extends
      | Int8Array
      | Uint8Array
      | Uint8ClampedArray
      | Int16Array
      | Uint16Array
      | Int32Array
      | Uint32Array
      | BigInt64Array
      | BigUint64Array,
  >(array: A): A
  /** Version 4: another at every try. What a retry must not do twice hangs on `idempotencyKey` of the event. */
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`
}

declare class AbortController {
  readonly signal: AbortSignal
  /** @param reason an `AbortError` unless told otherwise */
  abort(reason?: unknown): void
}

type AbortListener =
  | ((this: AbortSignal, event: AbortEvent) => void)
  | { handleEvent(event: AbortEvent): void }
interface AbortEvent {
  readonly type: 'abort'
  readonly target: AbortSignal
  readonly currentTarget: AbortSignal
}

/** Gives up requests: see `signal` of `host.http`. */
declare class AbortSignal {
  private constructor()
  static abort(reason?: unknown): AbortSignal
  /** Aborted after this time, with a `TimeoutError`. */
  static timeout(delayMs: number): AbortSignal
  /** Aborted as soon as one of these is, with its reason. */
  static any(signals: Iterable<AbortSignal>): AbortSignal
  readonly aborted: boolean
  readonly reason: unknown
  onabort: ((this: AbortSignal, event: AbortEvent) => void) | null
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: AbortListener, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: AbortListener): void
}

/** Encodes UTF-8. */
declare class TextEncoder {
  readonly encoding: 'utf-8'
  encode(text?: string): Uint8Array<ArrayBuffer>
  encodeInto(text: string, target: Uint8Array): { read: number; written: number }
}

/** Decodes UTF-8, UTF-16 and Windows-1252, which is what is meant by `latin1`. */
declare class TextDecoder {
  constructor(encoding?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  decode(bytes?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string
}

declare class URL {
  constructor(url: string | URL, base?: string | URL)
  static canParse(url: string | URL, base?: string | URL): boolean
  static parse(url: string | URL, base?: string | URL): URL | null
  href: string
  readonly origin: string
  protocol: string
  username: string
  password: string
  host: string
  hostname: string
  port: string
  pathname: string
  search: string
  readonly searchParams: URLSearchParams
  hash: string
  toString(): string
  toJSON(): string
}

declare class URLSearchParams {
  constructor(init?: string | URLSearchParams | Record<string, string> | Iterable<readonly [string, string]>)
  readonly size: number
  append(name: string, value: string): void
  delete(name: string, value?: string): void
  get(name: string): string | null
  getAll(name: string): string[]
  has(name: string, value?: string): boolean
  set(name: string, value: string): void
  sort(): void
  forEach(callback: (value: string, name: string, all: URLSearchParams) => void): void
  entries(): IterableIterator<[string, string]>
  keys(): IterableIterator<string>
  values(): IterableIterator<string>
  [Symbol.iterator](): IterableIterator<[string, string]>
  toString(): string
}
