/** The resident memory of a process and of all that it started, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessMemory {
  readonly pid: number
  /** What it runs: the last path of its command line, such as `main.ts`. */
  readonly name: string
  readonly residentKb: number
}

/** The process itself comes first. Pages that two of them share are counted twice. */
export function memoryOfTree(root: number): ProcessMemory[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /\) \S (\d+) /.exec(read(`/proc/${name}/stat`))?.[1]
    if (parent === undefined) continue
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree.map((pid) => ({ pid, name: programOf(pid), residentKb: residentKb(pid) }))
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
}

function programOf(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`).split('\0')
  const path = words.findLast((word) => word.startsWith('/') && !word.endsWith('/')) ?? words[0] ?? ''
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Empty for what is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
