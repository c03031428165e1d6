/** Starts a real Orthanc with its own defaults, but for the network: loopback, kept connections, no delay. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Server, ServerOptions } from './server.ts'
import { freePort, makeFolder, startProcess } from './server-process.ts'

export const orthancProgram = '/usr/sbin/Orthanc'

/** Orthanc with a Lua script that does what the script on the other side does. */
export async function startOrthanc(options: ServerOptions): Promise<Server> {
  const folder = makeFolder('orthanc')
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const settings = join(folder, 'orthanc.json')
  const { hasCallbacks = true } = options
  const script = join(folder, 'callbacks.lua')
  writeFileSync(script, callbacks(options.milestones))
  writeFileSync(
    settings,
    JSON.stringify({
      Name: 'Bench',
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'storage'),
      HttpPort: httpPort,
      DicomPort: dicomPort,
      DicomAet: 'ORTHANC',
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      DicomCheckCalledAet: false,
      StableAge: options.stableAgeSeconds,
      KeepAlive: true,
      TcpNoDelay: true,
      ...pluginsFor(options.database),
      LuaScripts: hasCallbacks ? [script] : [],
    }),
  )
  const countedAtMs = new Map<number, number>()
  const launch = () =>
    startProcess(
      { folder, traceFile: options.traceFile ?? null },
      orthancProgram,
      [settings],
      (line, atMs) => {
        const counted = /Lua says: counted (\d+)/.exec(line)
        if (counted !== null) countedAtMs.set(Number(counted[1]), atMs)
        options.onLine?.(line, atMs)
      },
    )
  let process = await launch()
  const url = `http://127.0.0.1:${httpPort}`
  let version = ''
  const isUp = async () => {
    const answer = await fetch(`${url}/system`).catch(() => null)
    if (answer?.ok) version = systemSchema.parse(await answer.json()).Version
    return answer?.ok === true
  }
  await process.until(isUp, 'it served', 50)
  return {
    side: 'Orthanc',
    version,
    get pid() {
      return process.pid
    },
    folder,
    url,
    dicomPort,
    aet: 'ORTHANC',
    drained: async (instances) => {
      const isCounted = () => !hasCallbacks || countedAtMs.has(instances)
      await process.until(isCounted, `its callback had counted ${instances}`, 2)
      const { CountInstances } = statisticsSchema.parse(await (await fetch(`${url}/statistics`)).json())
      if (CountInstances !== instances)
        throw new Error(`Orthanc holds ${CountInstances} of ${instances} instances`)
      return countedAtMs.get(instances) ?? performance.now()
    },
    async reload(number) {
      writeFileSync(script, `${callbacks(options.milestones)}-- ${number}\n`)
      await process[Symbol.asyncDispose]()
      process = await launch()
      await process.until(isUp, 'it served', 5)
      return performance.now()
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}

export const postgresPlugin = '/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so'

/** The index on PostgreSQL, files as ever; several may share it (`Lock`). */
function pluginsFor(database: string | undefined): object {
  if (database === undefined) return { Plugins: [] }
  const { hostname, port, username, pathname } = new URL(database)
  const place = {
    Host: hostname,
    Port: Number(port),
    Username: username,
    Password: '',
    Database: pathname.slice(1),
  }
  const PostgreSQL = { EnableIndex: true, EnableStorage: false, Lock: false, EnableSsl: false, ...place }
  return { Plugins: [postgresPlugin], PostgreSQL }
}

const systemSchema = z.object({ Version: z.string() })
const statisticsSchema = z.object({ CountInstances: z.number() })

/** Prints only at the milestones, so that knowing when the callbacks have caught up costs nothing. */
function callbacks(milestones: readonly number[]): string {
  return `
local stored = 0
local milestones = { ${milestones.map((count) => `[${count}] = true`).join(', ')} }
function OnStoredInstance(instanceId, tags, metadata, origin)
  stored = stored + 1
  if milestones[stored] then print('counted ' .. stored) end
end
function OnStableStudy(studyId, tags, metadata)
  print('stable ' .. studyId)
end
`
}
