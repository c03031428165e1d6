/** A real server in a process of its own, on free ports of the loopback, that a test may kill and start again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface ServerOptions {
  /** Seconds. */
  readonly stableAge?: number
  /** Text of each file of the scripts folder, by name. */
  readonly scripts?: Readonly<Record<string, string>>
  /** Further settings by their variable, such as `ONSTABLE_GRANTS`. */
  readonly environment?: Readonly<Record<string, string>>
  /** `point` or `point:n`, for the first start only. */
  readonly crashAt?: string
  readonly logLevel?: string
  /** An existing data folder, which is then not removed at the end. */
  readonly data?: string
  /** The engine's main file, if it is not the project's. */
  readonly main?: string
  /** A program and its parameters that starts the server in its own place, such as strace. */
  readonly under?: readonly string[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** From the start of a process to its end, of `Date.now()`. */
export interface Life {
  readonly spawnedAtMs: number
  /** Infinity until it answers, and for ever if it ended before that. */
  readonly readyAtMs: number
  /** Null while it lives. */
  readonly endedAtMs: number | null
}

export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly dicomPort: number
  readonly data: string
  readonly scripts: string
  readonly lives: readonly Life[]
  readonly pid: number
  /** All that it wrote to its error output, over all its lives. */
  stderr(): string
  /** Resolves when the process has ended. */
  exited(): Promise<Exit>
  hasExited(): boolean
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM. */
  stop(): Promise<Exit>
  /** Starts it again on the same folders and ports, without the crash point; kills it first if it still lives. */
  restart(): Promise<void>
}

/** Resolves when it answers, or when it has killed itself at its crash point before that. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'onstable-server-'))
  const data = options.data ?? join(folder, 'data')
  const scripts = join(folder, 'scripts')
  mkdirSync(scripts)
  for (const [name, text] of Object.entries(options.scripts ?? {})) writeFileSync(join(scripts, name), text)
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${httpPort}`
  const parameters = [
    ...['start', '--data', data, '--scripts', scripts],
    ...['--http-port', String(httpPort), '--dicom-port', String(dicomPort)],
    ...['--stable-age', String(options.stableAge ?? 0.3), '--log-level', options.logLevel ?? 'warn'],
  ]
  const lives: { spawnedAtMs: number; readyAtMs: number; endedAtMs: number | null }[] = []
  let stderr = ''
  let child: ChildProcess
  let exit: Exit | null = null
  let exited: Promise<Exit>

  const hasExited = () => exit !== null
  const spawnOnce = async (crashAt: string | null) => {
    const life = {
      spawnedAtMs: Date.now(),
      readyAtMs: Number.POSITIVE_INFINITY,
      endedAtMs: null as number | null,
    }
    lives.push(life)
    exit = null
    const [program, ...rest] = [...(options.under ?? []), node24, options.main ?? main, ...parameters]
    child = spawn(program!, rest, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        ...options.environment,
        ...(crashAt === null ? {} : { ONSTABLE_CRASH_AT: crashAt }),
      },
    })
    let isUp = false
    // What it prints first says that it serves.
    child.stdout!.on('data', () => {
      isUp = true
    })
    child.stderr!.on('data', (text: Buffer) => {
      stderr += text
    })
    exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        life.endedAtMs = Date.now()
        exit = { code, signal }
        resolve(exit)
      })
    })
    await until(
      `the server to answer; it wrote: ${stderr}`,
      async () => hasExited() || (isUp && (await answers(url))),
    )
    if (!hasExited()) {
      life.readyAtMs = Date.now()
      return
    }
    const end = await exited
    if (crashAt !== null && end.signal === 'SIGKILL') return
    throw new Error(`The server ended at its start (${JSON.stringify(end)}): ${stderr}`)
  }
  const end = async (signal: NodeJS.Signals) => {
    if (!hasExited()) child.kill(signal)
    return await exited
  }

  await spawnOnce(options.crashAt ?? null)
  return {
    url,
    dicomPort,
    data,
    scripts,
    lives,
    get pid() {
      return child.pid!
    },
    stderr: () => stderr,
    exited: () => exited,
    hasExited,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    async restart() {
      await end('SIGKILL')
      await spawnOnce(null)
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const node24 = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/system`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
