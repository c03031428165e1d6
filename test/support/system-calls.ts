/** The system calls of a process and all that it starts, written down by strace in the order of their happening. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { leaveOut } from './installed.ts'
import { until } from './until.ts'

export interface SystemCall {
  readonly name: string
  /** Of the file or folder that it was about; `socket:[…]` for a connection. */
  path: string
  /** As strace shows it, with the start of what was written. */
  readonly text: string
  /** Places in the one order of all beginnings and ends. */
  readonly beganAt: number
  readonly endedAt: number
  /** A write to a file that was opened with O_DSYNC: it ends when the bytes are on the disk. */
  isSynchronous: boolean
}

const making = ['open', 'openat', 'mkdir', 'mkdirat', 'rename', 'renameat', 'renameat2']
const writing = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate', 'sendto', 'sendmsg']
const syncing = ['fsync', 'fdatasync', 'syncfs']

export const isWrite = ({ name }: SystemCall) => writing.includes(name)
export const isSync = ({ name }: SystemCall) => syncing.includes(name)
const isSynchronousOpen = ({ name, text }: SystemCall) => name.startsWith('open') && /\bO_D?SYNC\b/.test(text)
/** Whether it made a name in a folder, or may have. */
export const isEntry = ({ name, text }: SystemCall) =>
  making.includes(name) && (!name.startsWith('open') || text.includes('O_CREAT'))

/** What to start a process with, so that its calls are written to the file. It keeps its own process id. */
export function tracing(file: string): string[] {
  const names = [...making, ...writing, ...syncing].join()
  // A page of the database has 4,096 bytes, and a name may be at its end.
  return ['strace', '-D', '-f', '-y', '--seccomp-bpf', '-s', '4096', '-e', `trace=${names}`, '-o', file]
}

/** Whether that works here. */
export function canTrace(): boolean {
  const [program, ...parameters] = tracing('/dev/null')
  const { error, status, stderr } = spawnSync(program!, [...parameters, 'true'])
  if (error !== undefined) return leaveOut('strace not found')
  return status === 0 || leaveOut(`strace may not be used: ${stderr.toString().trim()}`)
}

/** All calls that did what they were to do, once the process has ended. */
export async function readCalls(file: string, pid: number): Promise<SystemCall[]> {
  const end = new RegExp(`^${pid} +\\+\\+\\+ `, 'm')
  const trace = await until('strace to have written everything', () => {
    const text = readFileSync(file, 'utf8')
    return end.test(text) && text
  })
  const calls = parse(trace.split('\n'))
  const synchronous = new Set(calls.filter(isSynchronousOpen).map(({ path }) => path))
  for (const call of calls) call.isSynchronous = isWrite(call) && synchronous.has(call.path)
  for (const [place, call] of calls.entries()) {
    if (!call.name.startsWith('rename')) continue
    const [from, to] = [...call.text.matchAll(/"(.*?)"/g)].map(([, path]) => path!)
    for (const earlier of calls.slice(0, place)) if (earlier.path === from) earlier.path = to!
    call.path = to!
  }
  return calls
}

/** Lines are `pid call(…) = result`; where another call came between, `call(… <unfinished ...>` and `<... call resumed>…`. */
function parse(lines: readonly string[]): SystemCall[] {
  const calls: SystemCall[] = []
  const unfinished = new Map<string, { name: string; text: string; beganAt: number }>()
  for (const [place, line] of lines.entries()) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (pid === undefined || rest === undefined) continue
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const begun = resumed === null ? beginningOf(rest, place) : unfinished.get(pid)
    if (begun === null || begun === undefined) continue
    const text = resumed === null ? begun.text : begun.text + resumed[1]
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(pid, { ...begun, text: text.slice(0, -'<unfinished ...>'.length) })
    } else if (!/ = -1 E\w+ \(.*\)$/.test(text)) {
      calls.push({ ...begun, text, path: pathOf(text), endedAt: place, isSynchronous: false })
    }
  }
  return calls.sort((left, right) => left.beganAt - right.beganAt)
}

function beginningOf(text: string, beganAt: number) {
  const name = /^(\w+)\(/.exec(text)?.[1]
  return name === undefined ? null : { name, text, beganAt }
}

/** Of what was opened, of the descriptor, or the first one written out. */
function pathOf(text: string): string {
  const path = /^open.* = \d+<(.*?)>$/.exec(text) ?? /^\w+\(\d+<(.*?)>/.exec(text) ?? /"(.*?)"/.exec(text)
  return path?.[1] ?? ''
}
