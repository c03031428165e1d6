/**
 * Which walls stand around a child, as the kernel tells of the running process: not what was asked for.
 */
import { readlinkSync } from 'node:fs'
import { residentMb } from '../lib/resident-memory.ts'
import { textOfFile } from '../lib/text-of-file.ts'
import { userOf, type Wall, type Walls } from './walls.ts'

/**
 * One line for the server's log.
 * @param pid a child that runs
 * @param watchedMb resident memory at which the engine ends a child
 */
export function describeWalls(
  pid: number,
  { missing }: Walls,
  watchedMb: number,
): { readonly text: string; readonly isWhole: boolean } {
  const facts = standingAround(pid)
  const standing = ['a process of its own', "Node's permission model", 'no environment']
  const fallen: string[] = []
  if (residentMb(pid) > 0) standing.push(`at most ${watchedMb.toLocaleString('en-US')} MB of memory`)
  else fallen.push('memory limit (the system does not show how much a process holds)')
  for (const [wall, fact] of Object.entries(facts) as [Wall, string | null][]) {
    if (fact === null) fallen.push(`${wall} (${missing.get(wall) ?? 'the system does not show it'})`)
    else standing.push(fact)
  }
  const isWhole = fallen.length === 0
  const rest = isWhole ? '' : `. Missing: ${fallen.join('; ')}. See docs/security.md`
  return { text: `Scripts are behind these walls: ${standing.join(', ')}${rest}`, isWhole }
}

/** For each wall what to say of it; null: it does not stand. */
function standingAround(pid: number): Record<Wall, string | null> {
  const status = textOfFile(`/proc/${pid}/status`)
  const user = userOf(pid)
  const writtenBytes = numberOf(textOfFile(`/proc/${pid}/limits`), /^Max file size\s+(\d+)/m)
  return {
    'own user': user !== null && user !== process.getuid?.() ? `its own user (${user})` : null,
    'empty network': hasEmptyNetwork(pid) ? 'an empty network' : null,
    'no new privileges': numberOf(status, /^NoNewPrivs:\s+(\d+)/m) === 1 ? 'no new privileges' : null,
    'resource limits': writtenBytes === 0 ? 'no files written' : null,
  }
}

function hasEmptyNetwork(pid: number): boolean {
  const network = linkOf(`/proc/${pid}/ns/net`)
  if (network !== null) return network !== linkOf('/proc/self/ns/net')
  // Of another user's process that is not shown to everybody, but its interfaces are: a loopback never used.
  const interfaces = textOfFile(`/proc/${pid}/net/dev`).trim().split('\n').slice(2)
  return interfaces.length === 1 && /^\s*lo:\s+0\s+0\s/.test(interfaces[0]!)
}

function numberOf(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null
  }
}
