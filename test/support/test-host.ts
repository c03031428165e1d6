/** The host over a real store: calls as they come out of a sandbox, answers as a script gets them. */
import { expect } from 'vitest'
import { createHost, type Host, type HostParts, type Needs } from '../../src/host/host.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { temporaryFolder } from './folders.ts'
import { keptLog, type LogLine } from './kept-log.ts'

/** The value that a script gets, or the error that it is thrown. */
export type CallResult = { readonly value: unknown } | { readonly code: string; readonly message: string }

export interface TestRun {
  call(name: string, parameters: object, signal?: AbortSignal): Promise<CallResult>
  readonly history: ReturnType<Host['begin']>
}

export interface TestHost extends AsyncDisposable {
  readonly host: Host
  readonly store: Store
  readonly lines: readonly LogLine[]
  /** Begins a run of `script.ts`. */
  begin(more?: {
    readonly needs?: Partial<Needs>
    readonly isLive?: () => boolean
    readonly sendsOnly?: Parameters<Host['begin']>[0]['sendsOnly']
  }): TestRun
}

interface Options extends Partial<Pick<HostParts, 'get' | 'send'>> {
  /** What `script.ts` is granted, and needs unless told otherwise. */
  readonly granted?: Partial<Needs>
  readonly modalities?: HostParts['settings']['modalities']
}

const nothing: Needs = { send: [], http: [] }

export async function openTestHost(options: Options = {}): Promise<TestHost> {
  await using opening = new AsyncDisposableStack()
  const folder = opening.use(temporaryFolder())
  const store = opening.use(await openSqlite({ folder: folder.path, clock: Date.now }))
  const { log, lines } = keptLog()
  const granted = { ...nothing, ...options.granted }
  const host = opening.use(
    createHost({
      settings: {
        grants: { 'script.ts': { send: [...granted.send], http: [...granted.http] } },
        modalities: options.modalities ?? {},
      },
      store,
      get: options.get ?? (async () => ({ status: 404, body: '' })),
      send: options.send ?? (async () => ({ sent: 1 })),
      log,
    }),
  )
  const opened = opening.move()
  return {
    host,
    store,
    lines,
    begin({ needs = granted, isLive = () => true, sendsOnly = null } = {}) {
      const history = host.begin({
        script: 'script.ts',
        needs: { ...nothing, ...needs },
        idempotencyKey: 'epoch-1:script.ts:onStableStudy',
        sendsOnly,
        isLive,
      })
      return {
        history,
        async call(name, parameters, signal = new AbortController().signal) {
          const asked = { name, argumentsJson: JSON.stringify(parameters) }
          const answer = await history.answer(asked, signal, Promise.resolve())
          return answer.ok ? { value: JSON.parse(answer.value) as unknown } : answer.error
        },
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** The parameters of `host.http` as the sandbox makes them. */
export function httpCall(url: string, more: Readonly<Record<string, unknown>> = {}) {
  return { url, method: 'GET', headers: {}, body: null, timeoutMs: null, ...more }
}

/** `host.http` of a script that was granted an address. */
export async function openHttp(granted: string) {
  const opened = await openTestHost({ granted: { http: [granted] } })
  const { call } = opened.begin()
  return {
    http: (url: string, more = {}, signal?: AbortSignal) => call('http', httpCall(url, more), signal),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

/** What a script is thrown when the other server fails. */
export const httpFailed = (message: RegExp) => ({
  code: 'http-failed',
  message: expect.stringMatching(message),
})
