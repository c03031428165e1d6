/**
 * Where attacks are timed: the engine in this process, so that its event loop can be watched, a hostile script, and
 * a bystander that says when it has run.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { Client } from 'undici'
import { readSettings } from '../src/config.ts'
import { startEngine } from '../src/engine.ts'
import { upload } from './clients.ts'
import { makeSamples, type Sample } from './samples.ts'

const hostileScript = 'hostile.ts'
const patienceMs = 60_000

export interface StagedRun {
  readonly outcome: string
  readonly durationMs: number
}

export interface Stage extends AsyncDisposable {
  /** Saves the hostile script and has it run. Refused: how long that took from the save on. */
  attack(text: string, callback: string): Promise<StagedRun>
  /** From the answer to an upload until the bystander has run for it. */
  bystanderMs(): Promise<number>
  /** How many children have died so far. */
  deaths(): number
}

const bystander = `export function onStoredInstance({ tags }) { console.log('bystander ' + tags.SOPInstanceUID) }`
const idle = 'export function onStoredInstance() {}'

export async function openStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'onstable-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const scripts = join(folder, 'scripts')
  mkdirSync(scripts)
  const save = (text: string) => writeFile(join(scripts, hostileScript), text)
  await save(idle)
  await writeFile(join(scripts, 'bystander.js'), bystander)

  const heard = new Map<string, () => void>()
  let deaths = 0
  const write = (line: string) => {
    const instance = /"msg":"bystander ([\d.]+)"/.exec(line)?.[1]
    if (instance !== undefined) heard.get(instance)?.()
    if (line.includes('of the sandbox died')) deaths++
  }
  const given = { data: join(folder, 'data'), scripts, httpPort: 0, dicomPort: 0, stableAge: 86_400 }
  const engine = stack.use(await startEngine(readSettings(given, {}, null), pino({ base: null }, { write })))
  const [client, bystanderClient] = [new Client(engine.url), new Client(engine.url)]
  stack.defer(async () => void (await Promise.all([client.close(), bystanderClient.close()])))

  let sent = 0
  const nextSample = (): Sample =>
    makeSamples({ size: '6 KB', instances: 1, studies: 1, seriesPerStudy: 1, run: Date.now() + ++sent })[0]!
  const read = async (path: string) => {
    const { body } = await client.request({ method: 'GET', path })
    return (await body.json()) as Record<string, unknown>[]
  }
  const status = async () => (await read('/scripts')).find(({ name }) => name === hostileScript)!
  const soon = async <T>(what: string, find: () => Promise<T | undefined>): Promise<T> => {
    for (const end = performance.now() + patienceMs; performance.now() < end; await wait(10)) {
      const found = await find()
      if (found !== undefined) return found
    }
    throw new Error(`Waited in vain for ${what}`)
  }

  const attack: Stage['attack'] = async (text, callback) => {
    // Two texts in a row may be refused with the same words.
    if ((await status()).problem !== null) {
      await save(idle)
      await soon('an idle script to be in force', async () =>
        (await status()).problem === null ? true : undefined,
      )
    }
    const before = await status()
    const savedAt = performance.now()
    await save(text)
    const after = await soon('the script to be in force or refused', async () => {
      const now = await status()
      const isNews = now.problem === null ? now.version !== before.version : now.problem !== before.problem
      return isNews && JSON.stringify(now) !== JSON.stringify(before) ? now : undefined
    })
    if (after.problem !== null) return { outcome: 'refused', durationMs: performance.now() - savedAt }
    await upload(client, nextSample())
    const run = await soon('the run to end', async () => {
      const runs = await read(`/runs?script=${hostileScript}&limit=20`)
      return runs.find((each) => each.version === after.version && each.callback === callback)
    })
    return { outcome: String(run.outcome), durationMs: Number(run.durationMs) }
  }

  const bystanderMs: Stage['bystanderMs'] = async () => {
    const sample = nextSample()
    const { promise, resolve } = Promise.withResolvers<number>()
    heard.set(sample.sopInstanceUid, () => resolve(performance.now()))
    await upload(bystanderClient, sample)
    const answeredAt = performance.now()
    const tooLong = wait(patienceMs, Number.POSITIVE_INFINITY, { ref: false })
    const ranAt = await Promise.race([promise, tooLong])
    heard.delete(sample.sopInstanceUid)
    return Math.max(0, ranAt - answeredAt)
  }

  const open = stack.move()
  return { attack, bystanderMs, deaths: () => deaths, [Symbol.asyncDispose]: () => open.disposeAsync() }
}
