/** Starts OnStable from this folder, as `npx onstable start` does. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Server, ServerOptions } from './server.ts'
import { freePort, makeFolder, startProcess } from './server-process.ts'

const carriedNode = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** OnStable with a script that does what the script on the other side does. */
export async function startOnStable(options: ServerOptions): Promise<Server> {
  const folder = makeFolder('onstable')
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const scripts = join(folder, 'scripts')
  mkdirSync(scripts)
  writeFileSync(join(scripts, 'callbacks.js'), callbacks)
  writeFileSync(join(folder, 'onstable.json'), '{}')
  const parameters = Object.entries({
    data: options.node?.data ?? join(folder, 'data'),
    ...(options.database === undefined ? {} : { store: options.database }),
    ...(options.node === undefined ? {} : { node: options.node.name }),
    scripts,
    'http-port': httpPort,
    'dicom-port': dicomPort,
    'stable-age': options.stableAgeSeconds,
    'log-level': 'warn',
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  const process = await startProcess(
    { folder, traceFile: options.traceFile ?? null },
    carriedNode,
    ['--wasm-wrapper-tiering-budget=2000000000', main, 'start', ...parameters],
    options.onLine ?? (() => {}),
  )
  const url = `http://127.0.0.1:${httpPort}`
  const read = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json()
  let version = ''
  const isUp = async () => {
    const system = await read('/system').catch(() => null)
    if (system !== null) version = systemSchema.parse(system).Version
    // A script starts at the end of the log: what is sent before it is in force, it is not told.
    return system !== null && backlogSchema.parse(await read('/backlog')).length === 1
  }
  await process.until(isUp, 'it served and had its script in force', 50)
  return {
    side: 'OnStable',
    version,
    folder,
    url,
    dicomPort,
    aet: 'ONSTABLE',
    drained: async (instances) => {
      const isDrained = async () => {
        const [script] = backlogSchema.parse(await read('/backlog'))
        if (script === undefined || script.dead > 0) throw new Error('A callback failed for good')
        return script.behind + script.waiting + script.leased === 0
      }
      await process.until(isDrained, 'its callbacks had caught up', 5)
      const drainedAtMs = performance.now()
      const { CountInstances } = statisticsSchema.parse(await read('/statistics'))
      if (CountInstances !== instances)
        throw new Error(`OnStable holds ${CountInstances} of ${instances} instances`)
      return drainedAtMs
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

const systemSchema = z.object({ Version: z.string() })
const statisticsSchema = z.object({ CountInstances: z.number() })
const backlogSchema = z.array(
  z.object({ behind: z.number(), waiting: z.number(), leased: z.number(), dead: z.number() }),
)

const callbacks = `
let stored = 0
export function onStoredInstance() {
  stored += 1
}
export function onStableStudy(study) {
  const now = Date.now()
  const [at, last] = [Date.parse(study.at), Date.parse(study.lastArrival)]
  console.warn('stable ' + study.id + ' last=' + last + ' at=' + at + ' now=' + now)
}
`
