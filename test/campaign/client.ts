/** The client: sends, deletes, and writes down when it did and what it was told. */

import { dicomFile } from '../support/dicom-files.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import type { Attempt, Deletion, History, Upload } from './history.ts'

const longestAnswerMs = 20_000

/** Posts an instance. False: no answer came, because the server is gone. */
export async function post(history: History, server: TestServer, upload: Upload): Promise<boolean> {
  const body = new Uint8Array(dicomFile(upload.facts))
  return await attempt(history, upload, async (signal) => {
    const response = await fetch(`${server.url}/instances`, { method: 'POST', body, signal })
    const text = await response.text()
    if (history.hasOthers && response.status === 503) throw new Away()
    if (!response.ok) throw new Surprise(`POST /instances was answered with ${response.status}: ${text}`)
    const { ID, Status } = JSON.parse(text) as { ID: string; Status: string }
    if (ID !== upload.ids.Instance)
      throw new Surprise(`Instance ${upload.ids.Instance} was given the name ${ID}`)
    return Status
  })
}

/** Deletes a study. False: no answer came, because the server is gone. */
export async function deleteStudy(
  history: History,
  server: TestServer,
  deletion: Deletion,
): Promise<boolean> {
  return await attempt(history, deletion, async (signal) => {
    const response = await fetch(`${server.url}/studies/${deletion.ids.Study}`, { method: 'DELETE', signal })
    await response.arrayBuffer()
    if (history.hasOthers && response.status === 503) throw new Away()
    const isGoneAlready = response.status === 404 && deletion.attempts.length > 0
    if (response.status !== 200 && !isGoneAlready)
      throw new Surprise(`DELETE of study ${deletion.ids.Study} was answered with ${response.status}`)
    return String(response.status)
  })
}

/**
 * Waits until nothing is unstable and nothing is owed to any script, or the server is gone.
 * @param patienceMs for how long nothing may become less
 */
export async function untilIdle(server: TestServer, patienceMs = 20_000): Promise<void> {
  let least = Number.POSITIVE_INFINITY
  const isLess = async () => {
    if (server.hasExited()) return true
    try {
      const windows = await read<unknown[]>(server, '/windows')
      const backlog = await read<{ waiting: number; leased: number; behind: number }[]>(server, '/backlog')
      const left = backlog.reduce(
        (sum, { waiting, leased, behind }) => sum + waiting + leased + behind,
        windows.length,
      )
      const before = least
      least = Math.min(least, left)
      return left < before
    } catch (error) {
      // What `fetch` throws when the server dies.
      if (error instanceof TypeError) return false
      throw error
    }
  }
  do await until('the server to be idle', isLess, patienceMs)
  while (least > 0 && !server.hasExited())
}

/** Waits until the scripts are in force, so that they are told everything from the first change on. */
export async function untilScriptsServe(server: TestServer, names: readonly string[]): Promise<void> {
  await until(`the scripts to be in force; the server wrote: ${server.stderr()}`, async () => {
    const backlog = await read<{ script: string }[]>(server, '/backlog')
    return names.every((name) => backlog.some(({ script }) => script === name))
  })
}

class Surprise extends Error {}

/** The server cannot reach the database: another may. */
class Away extends Error {}

async function attempt(
  history: History,
  subject: { readonly attempts: Attempt[] },
  send: (signal: AbortSignal) => Promise<string>,
): Promise<boolean> {
  const sentAtMs = Date.now()
  let answer: string | null = null
  try {
    answer = await send(AbortSignal.timeout(longestAnswerMs))
  } catch (error) {
    // Nothing was sent, so there is nothing to remember.
    if (isRefused(error)) return false
    const isSlow = error instanceof Error && error.name === 'TimeoutError'
    if (error instanceof Surprise) history.surprises.push(error.message)
    else if (isSlow) history.surprises.push(`A request had no answer after ${longestAnswerMs} ms`)
  }
  subject.attempts.push({ sentAtMs, endedAtMs: Date.now(), answer })
  return answer !== null
}

/** Whether nobody listened. */
function isRefused(error: unknown): boolean {
  return error instanceof TypeError && (error.cause as NodeJS.ErrnoException)?.code === 'ECONNREFUSED'
}

async function read<T>(server: TestServer, path: string): Promise<T> {
  const response = await fetch(`${server.url}${path}`)
  if (!response.ok)
    throw new Error(`GET ${path} was answered with ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}
