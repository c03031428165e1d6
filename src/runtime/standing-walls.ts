/**
 * Which walls stand around a child, as the kernel tells of the running process: not what was asked for.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import type { Wall, Walls } from './walls.ts'

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
  const standing = [
    'a process of its own',
    "Node's permission model",
    'no environment',
    `at most ${watchedMb.toLocaleString('en-US')} MB of memory`,
  ]
  const fallen: string[] = []
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
  const status = textOf(`/proc/${pid}/status`)
  const user = numberOf(status, /^Uid:\s+(\d+)/m)
  const writtenBytes = numberOf(textOf(`/proc/${pid}/limits`), /^Max file size\s+(\d+)/m)
  const network = linkOf(`/proc/${pid}/ns/net`)
  return {
    'own user': user !== null && user !== process.getuid?.() ? `its own user (${user})` : null,
    'empty network': network !== null && network !== linkOf('/proc/self/ns/net') ? 'an empty network' : null,
    'no new privileges': numberOf(status, /^NoNewPrivs:\s+(\d+)/m) === 1 ? 'no new privileges' : null,
    'resource limits': writtenBytes === 0 ? 'no files written' : null,
  }
}

function numberOf(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null
  }
}
