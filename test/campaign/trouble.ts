/**
 * What else happens to a server than its end: it or a child of it stands still for a while, a child is killed, a
 * script is saved, or broken and mended. What was done, and when, is written down for the checker.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf } from '../support/processes.ts'
import type { TestServer } from '../support/server.ts'
import type { Target } from './sending.ts'

export const troubleKinds = [
  'stop-server',
  'stop-child',
  'kill-child',
  'save-script',
  'break-script',
  'stop-database',
  'cut-off',
] as const

/** What can happen to a server that shares its database with nobody. */
export const troublesOfOne = troubleKinds.filter((kind) => kind !== 'stop-database' && kind !== 'cut-off')

export interface Trouble {
  readonly kind: (typeof troubleKinds)[number]
  /** Since the wave began. */
  readonly afterMs: number
  readonly forMs: number
  /** From 0 to 1: which of the children, or of the scripts. */
  readonly which: number
}

/** Does what is planned, in its time; what would hit a server that is gone is left out. */
export async function makeTrouble(
  target: Target,
  troubles: readonly Trouble[],
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  const beganAt = performance.now()
  /** Servers that stand still now. */
  const standing = new Set<number>()
  await Promise.all(
    troubles.map(async (trouble) => {
      await sleep(Math.max(0, beganAt + trouble.afterMs - performance.now()))
      const server = target.servers[Math.floor(otherPart(trouble.which) * target.servers.length)]!
      const life = server.lives.at(-1)!
      if (server.hasExited() || !Number.isFinite(life.readyAtMs)) return
      await doOne(target, server, trouble, texts, standing)
    }),
  )
}

async function doOne(
  { servers, history, database, lines }: Target,
  server: TestServer,
  { kind, forMs, which }: Trouble,
  texts: Readonly<Record<string, string>>,
  standing: Set<number>,
): Promise<void> {
  const { troubles } = history
  const children = childrenOf(server.pid)
  const child = children[Math.floor(which * children.length)]?.pid
  const names = Object.keys(texts)
  const name = names[Math.floor(which * names.length)]!
  const write = (text: string) => writeFileSync(join(server.scripts, name), text)
  switch (kind) {
    case 'stop-server': {
      const { pid } = server
      // The end of another stop would let it go on before the end of this one.
      if (standing.has(pid) || !signal(pid, 'SIGSTOP')) return
      standing.add(pid)
      const fromMs = Date.now()
      const life = server.lives.at(-1)!
      await sleep(forMs)
      signal(pid, 'SIGCONT')
      standing.delete(pid)
      // It may have been killed as it stood.
      history.stops.push({ fromMs, toMs: life.endedAtMs ?? Date.now() })
      break
    }
    case 'stop-child':
      if (child === undefined || !signal(child, 'SIGSTOP')) return
      await sleep(forMs)
      signal(child, 'SIGCONT')
      history.childEndsMs.push(Date.now())
      break
    case 'kill-child':
      if (child === undefined || !signal(child, 'SIGKILL')) return
      history.childEndsMs.push(Date.now())
      break
    case 'save-script':
      write(versionOf(texts[name]!, troubles.length))
      break
    case 'break-script':
      write(`${texts[name]} (`)
      await sleep(forMs)
      write(versionOf(texts[name]!, troubles.length))
      break
    case 'stop-database': {
      if (database === null || history.outages.some(({ toMs }) => toMs === Number.POSITIVE_INFINITY)) return
      const outage = { fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY }
      history.outages.push(outage)
      await database.crash()
      // Long enough for somebody to take what nobody watched for silence.
      await sleep(leastOutageMs + forMs)
      outage.toMs = await database.start()
      break
    }
    case 'cut-off': {
      const line = lines?.[servers.indexOf(server)]
      if (line === undefined || history.cuts.some(({ toMs }) => toMs === Number.POSITIVE_INFINITY)) return
      const cut = { fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY }
      history.cuts.push(cut)
      line.cut()
      await sleep(2 * forMs)
      line.mend()
      cut.toMs = Date.now()
      break
    }
    default:
      kind satisfies never
  }
  troubles.push(kind)
}

const leastOutageMs = 1_500

/** Another number from 0 to 1. */
const otherPart = (part: number) => (part * 1_000) % 1

/** The same script as another version. */
const versionOf = (text: string, number: number) => `${text}\nglobalThis.version = ${number}\n`

/** False: there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
