/** The clients of a wave: each does its tasks in order, and each task until it is answered, whatever is killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CuttableLine } from '../support/cuttable-line.ts'
import type { OwnPostgres } from '../support/own-postgres.ts'
import type { TestServer } from '../support/server.ts'
import { deleteStudy, post } from './client.ts'
import type { Lane, Task } from './draft.ts'
import { type History, newDeletion } from './history.ts'
import { store } from './store-client.ts'

export interface Target {
  /** Of one store; each may be asked for anything. */
  readonly servers: readonly TestServer[]
  readonly history: History
  /** What they share and may lose; null: there is none, or it is not theirs alone. */
  readonly database: Pick<OwnPostgres, 'crash' | 'start'> | null
  /** By which each of the servers reaches it; null: these cannot be cut. */
  readonly lines: readonly CuttableLine[] | null
}

/** Longer than any start of the server. */
const patienceMs = 60_000
const pauseMs = 20

/** Resolves when every task of every lane has been answered. */
export async function sendAll(target: Target, lanes: readonly Lane[], onTaskDone: () => void): Promise<void> {
  const beganAt = performance.now()
  await Promise.all(
    lanes.map(async ({ road, tasks }) => {
      for (const task of tasks) {
        await sleep(Math.max(0, beganAt + task.afterMs - performance.now()))
        await (road === 'http' ? doByHttp(target, task) : doByDicom(target, task))
        onTaskDone()
      }
    }),
  )
}

/** Knocks while the server starts, too, so that requests come the moment it listens. */
async function doByHttp({ servers, history }: Target, { uploads, deletion }: Task): Promise<void> {
  for (const upload of uploads)
    await insist(servers, upload.ids.Instance, (server) => post(history, server, upload))
  if (deletion === null) return
  const subject = newDeletion(deletion)
  history.deletions.push(subject)
  await insist(servers, deletion.Study, (server) => deleteStudy(history, server, subject))
}

async function doByDicom({ servers, history }: Target, { uploads }: Task): Promise<void> {
  let open = uploads
  await insist(servers, uploads[0]!.ids.Instance, async (server) => {
    if (isServing(server)) open = await store(history, server, open)
    return open.length === 0
  })
}

function isServing(server: TestServer): boolean {
  return !server.hasExited() && Number.isFinite(server.lives.at(-1)!.readyAtMs)
}

/** Asks one of them after the other, beginning with one that goes by the name. */
async function insist(
  servers: readonly TestServer[],
  what: string,
  isDone: (server: TestServer) => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + patienceMs
  const first = Number.parseInt(what.slice(0, 6), 16)
  for (let tries = 0; ; tries++) {
    const server = servers[(first + tries) % servers.length]!
    if (await isDone(server)) return
    if (performance.now() > end)
      throw new Error(`No answer about ${what} for ${patienceMs} ms; a server wrote: ${tailOf(server)}`)
    await sleep(pauseMs)
  }
}

function tailOf(server: TestServer): string {
  return server.stderr().slice(-2_000)
}
