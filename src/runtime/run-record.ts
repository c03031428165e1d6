/**
 * What the engine keeps of a run while it is at work: its log within the caps, and whether it asked for anything.
 */
import type { Log } from '../log.ts'
import { caps } from './caps.ts'
import type { AnswerCall, LogLine, RunRequest } from './runtime.ts'
import { type FindPlace, mapPlaces } from './script-error.ts'

export class RunRecord {
  readonly #request: RunRequest
  readonly #findPlace: FindPlace
  readonly #log: Log
  readonly #logs: LogLine[] = []
  #logLength = 0
  #hasAsked = false
  #hasEverAsked = false

  constructor(request: RunRequest, findPlace: FindPlace, log: Log) {
    this.#request = request
    this.#findPlace = findPlace
    this.#log = log
  }

  get logs(): readonly LogLine[] {
    return this.#logs
  }

  /** Whether the run has asked for anything yet. */
  get hasAsked(): boolean {
    return this.#hasAsked
  }

  /** The same, of this time or one before it began again. */
  get hasEverAsked(): boolean {
    return this.#hasEverAsked
  }

  /** Another run ended the process. */
  beginAgain(): void {
    this.#hasAsked = false
    this.#logs.push({ level: 'warn', text: 'Another run ended the process of this one: it begins again' })
    this.#request.onBeginAgain?.()
  }

  /** The isolate keeps the log within its cap and says so; what a child sends beyond that is dropped. */
  addLine({ level, text }: LogLine): void {
    this.#logLength += text.length + caps.logLineOverheadBytes
    if (this.#logLength > caps.logBytes * 2) return
    this.#logs.push({ level, text: mapPlaces(text, this.#findPlace) })
  }

  /** Answers a host call. Never rejects. */
  readonly answer: AnswerCall = async (call, signal, answered) => {
    this.#hasAsked = true
    this.#hasEverAsked = true
    const { name } = call
    try {
      const answer = await this.#request.answer(call, signal, answered)
      if (!answer.ok || Buffer.byteLength(answer.value) <= caps.answerBytes) return answer
      const megabytes = caps.answerBytes / 1024 / 1024
      const message = `The answer to host.${name} is longer than ${megabytes} MB: ask for less`
      return { ok: false, error: { code: 'too-large', message } }
    } catch (error) {
      if (!signal.aborted) this.#log.error({ err: error, call: name }, 'A host call failed')
      return { ok: false, error: { code: 'internal', message: `host.${name} failed inside the server` } }
    }
  }
}
