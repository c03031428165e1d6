/**
 * Where attacks are made: a real server in a process of its own, with secrets around the sandbox, and a bystander
 * that shares everything with the hostile script but its isolate.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { dicomFile } from '../support/dicom-files.ts'
import { familyOf, type ProcessMark } from '../support/processes.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { root } from '../support/source-files.ts'
import { until } from '../support/until.ts'
import { startHostileServer } from './hostile-server.ts'

export const hostileScript = 'hostile.ts'
const bystanderScript = 'bystander.ts'

/** Assembled, so that they are in no file that could be read by chance. */
const environmentCanary = ['canary', 'of', 'the', 'environment'].join('-')
const fileCanary = ['canary', 'of', 'the', 'data', 'folder'].join('-')
const bystanderSecret = ['secret', 'of', 'the', 'bystander'].join('-')

/** Longest wait for an answer, for any request at any time. */
const answerMs = 5_000

export interface Run {
  readonly id: number
  readonly script: string
  readonly callback: string
  readonly outcome: string
  readonly version: string
  /** JSON of the error and of the log lines. */
  readonly reason: string
  readonly logs: string
}

export interface ScriptStatus {
  readonly name: string
  readonly state: string
  readonly version: string | null
  readonly problem: { readonly message: string; readonly file: string | null; readonly at: string } | null
}

export interface Theatre extends AsyncDisposable {
  readonly server: TestServer
  /** Texts that must never be seen in a script, with what each would mean. */
  readonly forbidden: ReadonlyMap<string, string>
  /** URL that the hostile script is granted. */
  readonly outsideUrl: string
  /** @param name that of the hostile script without */
  save(text: string, name?: string): void
  status(name?: string): Promise<ScriptStatus | null>
  /** Sends one instance that begins a patient of its own. */
  attack(patient: string): Promise<void>
  /** Sends one instance of the bystander's, and sees that all that it asks is answered. */
  poke(): Promise<void>
  lastRun(): number
  runsAfter(id: number): Run[]
  /** Until no script is owed anything. */
  untilIdle(): Promise<void>
  /** Of the server and all that it has started, now. */
  residentMb(): number
  /** The most that was seen since the last question. */
  mostResidentMb(): number
  /** Every process that was seen. */
  processes(): readonly ProcessMark[]
}

export async function openTheatre(): Promise<Theatre> {
  await using parts = new AsyncDisposableStack()
  const outside = parts.use(await startHostileServer())
  const server = parts.use(
    await startServer({
      stableAge: 86_400,
      scripts: { [bystanderScript]: bystanderText, [hostileScript]: harmlessText(0) },
      environment: {
        CANARY: environmentCanary,
        ONSTABLE_GRANTS: JSON.stringify({ [hostileScript]: { http: [outside.url] } }),
      },
    }),
  )
  writeFileSync(join(server.data, 'canary.txt'), fileCanary)
  const database = new Database(join(server.data, 'index.sqlite'), { readonly: true, fileMustExist: true })
  parts.defer(() => void database.close())
  const seen = new Map<string, ProcessMark>()
  const lastRun = database.prepare('select coalesce(max(id), 0) as id from run').pluck()
  const runsAfter = database.prepare<[number], Run>(
    `select id, script, callback, outcome, version, coalesce(reason, '') as reason, logs from run where id > ? order by id`,
  )
  const system = await get(server, '/system')
  let pokes = 0
  let mostMb = 0
  const theatre: Omit<Theatre, typeof Symbol.asyncDispose> = {
    server,
    outsideUrl: outside.url,
    forbidden: new Map([
      [environmentCanary, "the engine's environment"],
      [fileCanary, 'a file of the data folder'],
      [bystanderSecret, "another script's memory"],
      [root.replace(/\/$/, ''), 'where the program is'],
      [join(tmpdir(), 'onstable-server-'), 'where its data are'],
      [process.execPath, 'where Node is'],
      ['node_modules/isolated-vm', 'where the sandbox is'],
      ['/runtime/child/', 'a stack of the child process'],
    ]),
    save: (text, name = hostileScript) => writeFileSync(join(server.scripts, name), text),
    async status(name = hostileScript) {
      const scripts = (await get(server, '/scripts')) as ScriptStatus[]
      return scripts.find((script) => script.name === name) ?? null
    },
    attack: (patient) => post(server, dicomFile({ patient })),
    async poke() {
      const [now] = await Promise.all([
        get(server, '/system'),
        post(server, dicomFile({ patient: 'BYSTANDER', instance: String(++pokes) })),
      ])
      if (JSON.stringify(now) !== JSON.stringify(system)) throw new Error('GET /system is not what it was')
    },
    lastRun: () => lastRun.get() as number,
    runsAfter: (id) => runsAfter.all(id),
    async untilIdle() {
      const isIdle = async () => {
        const backlog = (await get(server, '/backlog')) as Record<'waiting' | 'leased' | 'behind', number>[]
        return backlog.every(({ waiting, leased, behind }) => waiting + leased + behind === 0)
      }
      await until('all runs to have ended', isIdle, 30_000)
    },
    residentMb() {
      const family = familyOf(server.pid)
      for (const { pid, startedAt } of family) seen.set(`${pid} ${startedAt}`, { pid, startedAt })
      const nowMb = family.reduce((sum, { residentMb }) => sum + residentMb, 0)
      mostMb = Math.max(mostMb, nowMb)
      return nowMb
    },
    mostResidentMb() {
      const most = mostMb
      mostMb = 0
      return most
    },
    processes: () => [...seen.values()],
  }
  await theatre.poke()
  await theatre.untilIdle()
  const open = parts.move()
  return { ...theatre, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

async function get(server: TestServer, path: string): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`, { signal: AbortSignal.timeout(answerMs) })
  if (response.status !== 200) throw new Error(`GET ${path} was answered with ${response.status}`)
  return await response.json()
}

async function post(server: TestServer, file: Buffer): Promise<void> {
  const signal = AbortSignal.timeout(answerMs)
  const response = await fetch(`${server.url}/instances`, {
    method: 'POST',
    body: new Uint8Array(file),
    signal,
  })
  await response.arrayBuffer()
  if (response.status !== 200) throw new Error(`POST /instances was answered with ${response.status}`)
}

/** It has a secret, sees to it that nobody has touched what is its own, and asks for nothing. */
const bystanderText = `
const words = ['secret', 'of', 'the', 'bystander']
globalThis.secret = words.join('-')
let runs = 0
export function onStoredInstance(instance) {
  runs++
  if (globalThis.secret !== words.join('-')) throw new Error('The secret is not what it was')
  for (const prototype of [Object.prototype, Array.prototype, Function.prototype, Promise.prototype, globalThis]) {
    for (const name of ['polluted', 'stolen', 'left', 'then', 'toJSON']) {
      if (name === 'then' && prototype === Promise.prototype) continue
      if (name in prototype) throw new Error('Somebody left ' + name)
    }
  }
  if (instance.polluted !== undefined || instance.id.length !== 44) throw new Error('The event is not what it was')
}
`

/** A script that does no harm, another one for every number. */
export function harmlessText(number: number): string {
  return `export const onStoredInstance = () => console.log('harmless ${number}')\n`
}
