/**
 * The catalogue of errors: every code, whose fault it is, and how it is answered over HTTP.
 * A message says what is wrong, what was expected and what to do; the code decides everything else.
 */

interface CatalogueEntry {
  /** Whose business it is: somebody's input, a script, or this system. */
  readonly kind: 'user' | 'script' | 'system'
  readonly httpStatus: number
  /** Orthanc's number and title for the same situation, which its clients look at. */
  readonly orthancStatus: number
  readonly title: string
}

const entry = (
  kind: CatalogueEntry['kind'],
  httpStatus: number,
  orthancStatus: number,
  title: string,
): CatalogueEntry => ({ kind, httpStatus, orthancStatus, title })

export const catalogue = {
  'bad-request': entry('user', 400, 8, 'Bad request'),
  'bad-parameter': entry('user', 400, 5, 'Bad type for a parameter'),
  'bad-dicom-file': entry('user', 400, 15, 'Bad file format'),
  'missing-identifier': entry('user', 404, 21, 'Inexistent tag'),
  'unknown-resource': entry('user', 404, 17, 'Unknown resource'),
  'too-large': entry('user', 413, 8, 'Bad request'),
  unauthorized: entry('user', 401, 36, 'The user is not authorized'),
  forbidden: entry('user', 403, 36, 'Forbidden'),
  'storage-full': entry('system', 507, 19, 'The file storage is full'),
  'shutting-down': entry('system', 503, 0, 'Shutting down'),
  'store-away': entry('system', 503, 0, 'The database does not answer'),
  'broker-away': entry('system', 503, 0, 'The message broker does not answer'),
  'bad-message': entry('user', 400, 8, 'Bad message'),
  'filter-silent': entry('system', 503, 0, 'No answer of a filter'),
  draining: entry('system', 503, 0, 'Draining'),
  internal: entry('system', 500, 0, 'Internal error'),
  'bad-setting': entry('user', 500, 0, 'Bad setting'),
  'port-in-use': entry('user', 500, 0, 'Port in use'),
  'data-folder': entry('user', 500, 0, 'Data folder'),
  'newer-database': entry('user', 500, 0, 'Newer database'),
  'script-refused': entry('script', 422, 8, 'Script refused'),
  'not-granted': entry('script', 403, 36, 'Not granted'),
  'bad-host-call': entry('script', 400, 8, 'Bad host call'),
  'lease-lost': entry('script', 409, 0, 'Lease lost'),
  'send-failed': entry('system', 502, 9, 'Cannot send'),
  'http-failed': entry('system', 502, 9, 'Request failed'),
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof catalogue

/** The one error class of the product. `cause` keeps what was caught. */
export class OnStableError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OnStableError'
    this.code = code
  }

  get entry(): CatalogueEntry {
    return catalogue[this.code]
  }
}

/** Makes an error of the catalogue: `fault('bad-setting', 'Setting "x" …', { cause })`. */
export function fault(code: ErrorCode, message: string, options?: ErrorOptions): OnStableError {
  return new OnStableError(code, message, options)
}

/** Whether the database did not answer: it may when it is asked again. */
export function isAway(thrown: unknown): boolean {
  return thrown instanceof OnStableError && thrown.code === 'store-away'
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** True for a Node system error with that code (`ENOENT`, `ENOSPC` …). */
export function isSystemError(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && codes.includes((thrown as NodeJS.ErrnoException).code ?? '')
}
