/**
 * Starts the operating system's process of a child: no environment, no descriptor but its pipe, and Node's
 * permission model around it. What else stands between a break-out of V8 and the machine is the operating system's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { niceness, yieldProcessor } from '../lib/yield-processor.ts'
import { entryPath } from './child-code.ts'

/**
 * Where each isolate's new objects are, in MB: what runs leave is garbage at once, and V8 would let each isolate have
 * up to 48 MB of it.
 */
const semiSpaceMb = 4

/** Heap of the child's own JavaScript; an isolate's heap is its own. */
const childHeapMb = 128

export interface SpawnedChild {
  readonly process: ChildProcess
  readonly pipe: Duplex
  readonly errorOutput: Readable
}

/**
 * Whose turn it is at the processor. `urgent`: somebody waits for what it does; `usual`: a script that is busy takes the
 * processor from other scripts, not from what receives images; `last`: nor from other scripts.
 */
export type Priority = 'urgent' | 'usual' | 'last'

/** Null: as the server has it. */
const nicenessOf: Readonly<Record<Priority, number | null>> = {
  urgent: null,
  usual: niceness.atLeisure,
  last: niceness.last,
}

/** @param heartbeatMs how often the child is to say that it is alive */
export type SpawnChild = (heartbeatMs: number, priority: Priority) => SpawnedChild

/**
 * @param code of the child
 * @param launcher what raises the walls of the operating system and then becomes the child; may be empty
 */
export function spawnBehind(
  code: string,
  launcher: readonly string[],
  heartbeatMs: number,
  priority: Priority,
): SpawnedChild {
  const flags = [
    // isolated-vm asks for it: isolates must not share the snapshot's heap with Node.
    '--no-node-snapshot',
    '--disable-proto=delete',
    '--no-warnings',
    `--max-semi-space-size=${semiSpaceMb}`,
    `--max-old-space-size=${childHeapMb}`,
    '--permission',
    '--allow-addons',
    '--input-type=commonjs',
    ...readablePaths().map((path) => `--allow-fs-read=${path}`),
  ]
  const own = ['-', entryPath, String(heartbeatMs)]
  const [program, ...parameters] = [...launcher, process.execPath, ...flags, ...own]
  const child = spawn(program!, parameters, {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
  })
  // One that ends before it has read it is seen to end.
  child.stdin!.on('error', () => {})
  child.stdin!.end(code)
  const lowered = nicenessOf[priority]
  if (child.pid !== undefined && lowered !== null) yieldProcessor(child.pid, lowered)
  return { process: child, pipe: child.stdio[3] as Duplex, errorOutput: child.stderr! }
}

/** Files without which a child cannot start. */
export function neededFiles(): string[] {
  const isolatedVm = createRequire(import.meta.url).resolve('isolated-vm/package.json')
  const sandbox = fileURLToPath(new URL('../../sandbox/prelude.js', import.meta.url))
  return [process.execPath, sandbox, isolatedVm]
}

function readablePaths(): string[] {
  const folder = (url: string) => fileURLToPath(new URL(url, import.meta.url))
  const resolve = createRequire(import.meta.url).resolve
  const isolatedVm = resolve('isolated-vm/package.json')
  const buildLocator = createRequire(isolatedVm).resolve('node-gyp-build/package.json')
  return [
    folder('../../sandbox/'),
    `${dirname(isolatedVm)}/`,
    `${dirname(buildLocator)}/`,
    // node-gyp-build looks which C library this system has.
    '/etc/alpine-release',
    '/usr/bin/ldd',
  ]
}
