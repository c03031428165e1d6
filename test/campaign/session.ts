/**
 * A server with its scripts, a client and its history. The client goes on until it is answered: when the
 * server is gone it starts it again, and sends again.
 */
import type { FileFacts } from '../support/dicom-files.ts'
import type { Exit, TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import * as client from './client.ts'
import { type History, newDeletion, newUpload, type Upload } from './history.ts'
import { idsOf } from './identifiers.ts'
import { type ServedOptions, startServed } from './served.ts'
import { store } from './store-client.ts'

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

export async function startSession(options: ServedOptions): Promise<Session> {
  const served = await startServed(options)
  const { server, history } = served
  let firstExit: Exit | null = null
  const revive = async () => {
    await until('the server to end that gave no answer', () => server.hasExited())
    firstExit ??= await server.exited()
    await server.restart()
  }
  const insist = async (isDone: () => Promise<boolean>) => {
    while (!(await isDone())) await revive()
  }
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
      let open: readonly Upload[] = uploads
      await insist(async () => {
        open = await store(history, server, open)
        return open.length === 0
      })
    },
    async deleteStudy(facts) {
      const deletion = newDeletion(idsOf(facts))
      history.deletions.push(deletion)
      await insist(() => client.deleteStudy(history, server, deletion))
    },
    async untilIdle() {
      await insist(async () => {
        await client.untilIdle(server)
        return !server.hasExited()
      })
    },
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  }
}
