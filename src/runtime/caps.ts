/**
 * How much may cross the walls of the runtime. The isolate keeps to them so that a script meets an ordinary
 * error; the engine checks them again, since it trusts no child.
 */
export const caps = {
  /** Code of a version, an event, an answer to a host call: bytes of UTF-8. */
  codeBytes: 4 * 1024 * 1024,
  eventBytes: 4 * 1024 * 1024,
  answerBytes: 4 * 1024 * 1024,
  /** Arguments of one host call as JSON, and of all that wait at a time: UTF-16 units. */
  argumentsLength: 2 * 1024 * 1024,
  waitingLength: 4 * 1024 * 1024,
  /** Host calls of one run that wait for the engine at a time; further ones queue inside the isolate. */
  waitingCalls: 64,
  callsPerRun: 50_000,
  timers: 256,
  /** Timers that are set during one visit to the isolate, those that are cleared at once included. */
  timersSet: 1_024,
  /** Log of one run: bytes of UTF-8, and 16 for each line. */
  logBytes: 64 * 1024,
  logLineOverheadBytes: 16,
  logLineLength: 8 * 1024,
  errorLength: 8 * 1024,
  /** How long a script may ask to be told again after. */
  retryAfterMs: 30 * 86_400_000,
  /** Names of the exports and the manifest, as JSON. */
  manifestLength: 64 * 1024,
} as const
export type Caps = typeof caps

/** The name under which an isolate knows the script's code: it marks the places that a source map explains. */
export const codeName = 'onstable:script'
