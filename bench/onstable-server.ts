/** Starts OnStable from this folder, as `npx onstable start` does. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Server, ServerOptions } from './server.ts'
import { freePort, makeFolder, startProcess } from './server-process.ts'

const launcher = fileURLToPath(new URL('../bin/onstable.js', import.meta.url))

/** OnStable with a script that does what the script on the other side does, if no others are given. */
export async function startOnStable(options: ServerOptions): Promise<Server> {
  const folder = makeFolder('onstable')
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const scripts = join(folder, 'scripts')
  mkdirSync(scripts)
  const usual = options.hasCallbacks === false ? {} : { [usualScript]: callbacks(0, options) }
  const given = Object.entries(options.scripts ?? usual)
  for (const [name, code] of given) writeFileSync(join(scripts, name), code)
  writeFileSync(join(folder, 'onstable.json'), '{}')
  const parameters = Object.entries({
    data: options.data ?? options.node?.data ?? join(folder, 'data'),
    ...(options.database === undefined ? {} : { store: options.database }),
    ...(options.node === undefined ? {} : { node: options.node.name }),
    scripts,
    'http-port': httpPort,
    'dicom-port': dicomPort,
    'stable-age': options.stableAgeSeconds,
    'log-level': 'info',
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  let onInForce: (atMs: number) => void = () => {}
  const process = await startProcess(
    { folder, traceFile: options.traceFile ?? null },
    launcher,
    ['start', ...parameters],
    (line, atMs) => {
      if (isInForce.test(line)) onInForce(atMs)
      options.onLine?.(line, atMs)
    },
  )
  const url = `http://127.0.0.1:${httpPort}`
  const read = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json()
  let version = ''
  const isUp = async () => {
    const system = await read('/system').catch(() => null)
    if (system !== null) version = systemSchema.parse(system).Version
    // A script starts at the end of the log: what is sent before it is in force, it is not told.
    return system !== null && (await backlogs()).length === given.length
  }
  const backlogs = async () => {
    const all = backlogSchema.parse(await read('/backlog'))
    return all.filter(({ script }) => given.some(([name]) => name === script))
  }
  await process.until(isUp, 'it served and had its script in force', 50)
  return {
    side: 'OnStable',
    version,
    pid: process.pid,
    folder,
    url,
    dicomPort,
    aet: 'ONSTABLE',
    drained: async (instances) => {
      const isDrained = async () => {
        const all = await backlogs()
        if (all.some(({ dead }) => dead > 0)) throw new Error('A callback failed for good')
        return all.every(({ behind, waiting, leased }) => behind + waiting + leased === 0)
      }
      await process.until(isDrained, 'its callbacks had caught up', 5)
      const drainedAtMs = performance.now()
      const { CountInstances } = statisticsSchema.parse(await read('/statistics'))
      if (CountInstances !== instances)
        throw new Error(`OnStable holds ${CountInstances} of ${instances} instances`)
      return drainedAtMs
    },
    reload: (version) => {
      const { promise, resolve } = Promise.withResolvers<number>()
      onInForce = resolve
      writeFileSync(join(scripts, usualScript), callbacks(version, options))
      return promise
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

const systemSchema = z.object({ Version: z.string() })
const statisticsSchema = z.object({ CountInstances: z.number() })
const backlogSchema = z.array(
  z.object({
    script: z.string(),
    behind: z.number(),
    waiting: z.number(),
    leased: z.number(),
    dead: z.number(),
  }),
)

const usualScript = 'callbacks.js'
const isInForce = new RegExp(`"script":"${usualScript}".*"msg":"Script in force"`)

const callbacks = (version: number, { saysEach = false }: ServerOptions) => `
let stored = 0
export function onStoredInstance({ id }) {
  stored += 1
  ${saysEach ? `console.warn('told ' + id + ' by ${version}')` : ''}
}
export function onStableStudy(study) {
  const now = Date.now()
  const [at, last] = [Date.parse(study.at), Date.parse(study.lastArrival)]
  console.warn('stable ' + study.id + ' last=' + last + ' at=' + at + ' now=' + now + ' by ${version}')
}
`
