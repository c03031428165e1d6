/**
 * A server that is measured: a child process with a temporary folder, its log lines as they come, and its end
 * by process id.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Told of every line that a server writes, and when it was read, in `performance.now()`. */
export type LineListener = (line: string, atMs: number) => void

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  /** Waits until the condition holds; throws with the last lines of the log if the server ends first. */
  until(condition: () => boolean | Promise<boolean>, what: string, everyMs: number): Promise<void>
}

/** A folder for one server, and where its system calls are written down, if at all. */
export interface Place {
  readonly folder: string
  readonly traceFile: string | null
}

const traced =
  'fsync,fdatasync,sync,syncfs,msync,sync_file_range,openat,rename,renameat,renameat2,write,writev,pwrite64,pwritev'

export function makeFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `onstable-bench-${name}-`))
}

/**
 * Starts a program in the place's folder; disposing ends it. The folder stays until the end of this process:
 * just after many files were deleted, ext4 takes up to ten times as long to make new ones.
 */
export async function startProcess(
  place: Place,
  program: string,
  parameters: readonly string[],
  onLine: LineListener,
): Promise<ServerProcess> {
  // With -D strace is the grandchild, so that the process id is the server's own.
  const trace =
    place.traceFile === null
      ? []
      : ['strace', '-D', '-f', '-qq', '-ttt', '-y', '-e', `trace=${traced}`, '-o', place.traceFile]
  const [command = program, ...rest] = [...trace, program, ...parameters]
  const child = spawn(command, rest, {
    cwd: place.folder,
    // DCMTK, on either side of a connection, sends at once only when told so.
    env: { ...withoutSettings(process.env), TCP_NODELAY: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lastLines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      onLine(line, performance.now())
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
    })
  }
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  process.once('exit', () => rmSync(place.folder, { recursive: true, force: true }))
  await once(child, 'spawn')
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid!,
    until: async (condition, what, everyMs) => {
      const deadlineMs = performance.now() + 120_000
      while (!(await condition())) {
        const reason = isOver() ? 'ended' : performance.now() > deadlineMs ? 'took over two minutes' : null
        if (reason !== null) throw new Error(`${program} ${reason} before ${what}:\n${lastLines.join('\n')}`)
        await new Promise((resolve) => setTimeout(resolve, everyMs))
      }
    },
    [Symbol.asyncDispose]: async () => {
      const ended = isOver() ? null : once(child, 'exit')
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(impatience)
      process.removeListener('exit', endWithUs)
    },
  }
}

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port')
  return address.port
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('ONSTABLE_')))
}
