/**
 * How often each side makes its disk hold what it acknowledged: the syncs per instance, counted with strace,
 * by what they were for.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Protocol, send } from './clients.ts'
import { shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import type { Notebook } from './report.ts'
import { makeSamples } from './samples.ts'
import { type Side, startServer } from './servers.ts'

export const strace = '/usr/bin/strace'

export const syncsMethod = [
  'System calls of all processes and threads of the server, from the first send until the callbacks have run.',
  '"rows" are syncs of the database and its journals, "folder" of directory entries, "file" of everything else;',
  '"synchronous writes" go to files that were opened so that each write is a sync of what it wrote.',
  'A kill keeps the page cache: only these calls show that what is acknowledged outlives a power cut.',
]

const loads: readonly { protocol: Protocol; connections: number }[] = [
  { protocol: 'HTTP', connections: 1 },
  { protocol: 'HTTP', connections: 4 },
  { protocol: 'HTTP', connections: 8 },
  { protocol: 'C-STORE', connections: 1 },
  { protocol: 'C-STORE', connections: 4 },
]

const kinds = ['synchronous writes', 'file', 'folder', 'rows', 'renames'] as const
type Kind = (typeof kinds)[number]

/**
 * Runs every load on every side, under strace, and notes the calls per instance.
 * @param inAll as one figure, not by what they were for
 */
export async function measureSyncs(
  notebook: Notebook,
  { sides, isQuick }: Rounds,
  inAll = false,
): Promise<void> {
  const instances = isQuick ? 20 : 100
  for (const { protocol, connections } of loads) {
    for (const side of sides) {
      const counts = await countCalls(notebook, side, protocol, connections, instances)
      const most = kinds.reduce((sum, kind) => sum + counts[kind], 0) / instances
      if (inAll) notebook.note(`${protocol} × ${connections}: syncs`, 'per instance', side, most)
      for (const kind of inAll ? [] : kinds) {
        const name = `${protocol} × ${connections}: ${kind}`
        notebook.note(name, 'per instance', side, counts[kind] / instances)
      }
      const all = kinds.map((kind) => `${kind} ${shown(counts[kind] / instances)}`).join(', ')
      console.error(`${protocol} × ${connections}, ${side}, per instance: ${all}`)
    }
  }
}

async function countCalls(
  notebook: Notebook,
  side: Side,
  protocol: Protocol,
  connections: number,
  instances: number,
): Promise<Record<Kind, number>> {
  const traceFile = join(tmpdir(), `onstable-bench-${process.pid}.strace`)
  const samples = makeSamples({ size: '6 KB', instances, studies: 4, seriesPerStudy: 1, run: Date.now() })
  try {
    await using server = await startServer(side, {
      stableAgeSeconds: 600,
      milestones: [instances],
      traceFile,
    })
    notebook.versions[side] = server.version
    const from = Date.now() / 1000
    await send(server, protocol, connections, samples)
    await server.drained(instances)
    const to = Date.now() / 1000
    // strace writes what it saw with a delay of its own.
    await delay(1000)
    return kindsOfCalls(readFileSync(traceFile, 'utf8'), from, to)
  } finally {
    rmSync(traceFile, { force: true })
  }
}

/** Lines are `pid seconds call(fd</path>) = result`; only those between the two times are counted. */
function kindsOfCalls(trace: string, from: number, to: number): Record<Kind, number> {
  const counts: Record<Kind, number> = {
    'synchronous writes': 0,
    file: 0,
    folder: 0,
    rows: 0,
    renames: 0,
  }
  const synchronous = new Set<string>()
  for (const line of trace.split('\n')) {
    const call = /^\d+ +(\d+\.\d+) (\w+)\((?:\d+<([^>]*)>)?/.exec(line)
    if (call === null) continue
    const [, seconds, name = '', path] = call
    if (name === 'openat' && /\bO_D?SYNC\b/.test(line))
      synchronous.add(/ = \d+<([^>]*)>/.exec(line)?.[1] ?? '')
    if (Number(seconds) < from || Number(seconds) > to) continue
    const kind = kindOf(name, path, synchronous)
    if (kind !== null) counts[kind]++
  }
  return counts
}

function kindOf(call: string, path: string | undefined, synchronous: ReadonlySet<string>): Kind | null {
  if (call.startsWith('openat')) return null
  if (call.includes('write')) return synchronous.has(path ?? '') ? 'synchronous writes' : null
  if (call.startsWith('rename')) return 'renames'
  if (path === undefined) return 'file'
  if (/(^|\/)(index|[^/]*\.(db|sqlite3?))(-wal|-journal|-shm)?$/.test(path)) return 'rows'
  return existsSync(path) && statSync(path).isDirectory() ? 'folder' : 'file'
}
