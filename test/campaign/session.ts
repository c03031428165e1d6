/**
 * A server with both scripts, a client and its history. The client goes on until it is answered: when the
 * server is gone it starts it again, and sends again.
 */
import type { FileFacts } from '../support/dicom-files.ts'
import { type Exit, startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import * as client from './client.ts'
import { type History, isAcknowledged, newUpload } from './history.ts'
import { idsOf } from './identifiers.ts'
import { startReceiver } from './receiver.ts'
import { grantsFor, recordScript, recordText, reportScript, reportText } from './scripts.ts'
import { store } from './store-client.ts'

export interface SessionOptions {
  readonly stableAgeMs: number
  readonly crashAt?: string
  readonly data?: string
}

export interface Session extends AsyncDisposable {
  readonly server: TestServer
  readonly history: History
  /** How the first life of the server ended; null if it has not. */
  firstExit(): Exit | null
  post(facts: FileFacts): Promise<void>
  store(facts: readonly FileFacts[]): Promise<void>
  deleteStudy(facts: FileFacts): Promise<void>
  /** Until nothing is unstable and nothing is owed. */
  untilIdle(): Promise<void>
}

export async function startSession({ stableAgeMs, ...options }: SessionOptions): Promise<Session> {
  await using parts = new AsyncDisposableStack()
  const receiver = parts.use(await startReceiver())
  const server = parts.use(
    await startServer({
      ...options,
      stableAge: stableAgeMs / 1_000,
      scripts: { [recordScript]: recordText, [reportScript]: reportText(receiver.url) },
      environment: grantsFor(receiver.url),
    }),
  )
  const { effects } = receiver
  const history: History = {
    ...{ stableAgeMs, effects, lives: server.lives },
    ...{ uploads: [], deletions: [], surprises: [] },
  }
  await client.untilScriptsServe(server, [recordScript, reportScript])

  let firstExit: Exit | null = null
  const revive = async () => {
    await until('the server to end that gave no answer', () => server.hasExited())
    firstExit ??= await server.exited()
    await server.restart()
  }
  const insist = async (isDone: () => Promise<boolean>) => {
    while (!(await isDone())) await revive()
  }
  const running = parts.move()
  return {
    server,
    history,
    firstExit: () => firstExit,
    async post(facts) {
      const upload = newUpload(facts, 'http')
      history.uploads.push(upload)
      await insist(() => client.post(history, server, upload))
    },
    async store(facts) {
      const uploads = facts.map((each) => newUpload(each, 'dicom'))
      history.uploads.push(...uploads)
      await insist(async () => {
        const open = uploads.filter((upload) => !isAcknowledged(upload))
        await store(history, server, open)
        return uploads.every(isAcknowledged)
      })
    },
    async deleteStudy(facts) {
      const deletion = client.deletionOf(idsOf(facts))
      history.deletions.push(deletion)
      await insist(() => client.deleteStudy(history, server, deletion))
    },
    async untilIdle() {
      await insist(async () => {
        await client.untilIdle(server)
        return !server.hasExited()
      })
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
