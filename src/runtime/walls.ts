/**
 * What the operating system puts around a child, so that a break-out of V8 reaches no file, no server and no other
 * process: a user of its own, a network with nothing in it, no files written, few descriptors. The programs of util-linux raise the walls and then become the child; what this machine refuses is left out.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { messageOf } from '../errors.ts'
import { textOfFile } from '../lib/text-of-file.ts'

export type Wall = 'own user' | 'empty network' | 'no new privileges' | 'resource limits'

export interface Walls {
  /** What a child is started by: programs and their parameters, to be followed by those of the child. */
  readonly command: readonly string[]
  /** The walls that cannot be raised, and why. */
  readonly missing: ReadonlyMap<Wall, string>
}

/** A user and group that no account has: what runs as them owns nothing, and nobody else's process is in reach. */
export const sandboxUserId = 65_533

const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']
const run = promisify(execFile)

/**
 * Finds out which walls can be raised here, by raising each around a program that does nothing.
 * @param readable files that a child has to be able to read
 */
export async function chooseWalls(readable: readonly string[]): Promise<Walls> {
  const missing = new Map<Wall, string>()
  const isRoot = process.getuid?.() === 0
  // No limit of memory: each isolate reserves half a gigabyte that it never uses, and the kernel counts that.
  const limits = ['prlimit', '--core=0', '--fsize=0', '--nofile=128']
  // Who is not root gets a network of its own with a user namespace, in which no other user is known.
  const network = isRoot ? ['unshare', '--net'] : ['unshare', '--user', '--net']
  const privileges = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all']
  const ids = [`--reuid=${sandboxUserId}`, `--regid=${sandboxUserId}`, '--clear-groups']
  const user = [...privileges, ...(isRoot ? ['--bounding-set=-all'] : []), ...ids]
  const canRead = ['test', ...readable.flatMap((file, index) => [...(index > 0 ? ['-a'] : []), '-r', file])]
  const [limitsFail, networkFails, privilegesFail, userFails] = await Promise.all([
    failureOf(limits, ['true']),
    failureOf(network, ['true']),
    failureOf(privileges, ['true']),
    failureOf(user, canRead).then(async (failure) => failure ?? (await failureToEnd(user))),
  ])
  if (userFails !== null) missing.set('own user', userFails)
  if (networkFails !== null) missing.set('empty network', networkFails)
  if (privilegesFail !== null) missing.set('no new privileges', privilegesFail)
  if (limitsFail !== null) missing.set('resource limits', limitsFail)
  // Of a user that others share, the number of processes would count theirs, too.
  const ownLimits = userFails === null ? [...limits, '--nproc=4096'] : limits
  const limiting = limitsFail === null ? launched(ownLimits) : []
  const emptying = networkFails === null ? launched(network) : []
  const changing = userFails === null ? launched(user) : privilegesFail === null ? launched(privileges) : []
  const command = isRoot ? [...limiting, ...emptying, ...changing] : [...limiting, ...changing, ...emptying]
  return { command, missing }
}

/** The command with the whole path of its program, ready to be followed by another. */
function launched([program, ...parameters]: readonly string[]): string[] {
  return [programFile(program!)!, ...parameters, '--']
}

/** Why this launcher cannot start that program; null: it can. */
async function failureOf(launcher: readonly string[], [program, ...parameters]: readonly string[]) {
  const missing = [launcher[0]!, program!].find((name) => programFile(name) === null)
  if (missing !== undefined) return `there is no program "${missing}"`
  const [file, ...first] = launched(launcher)
  try {
    await run(file!, [...first, programFile(program!)!, ...parameters], { timeout: 5_000, env: {} })
    return null
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1)
    if (words) return words
    return program === 'test' ? 'that user cannot read the files of this installation' : messageOf(error)
  }
}

/** Why a process that has become the other user cannot be killed; null: it can. */
async function failureToEnd(launcher: readonly string[]): Promise<string | null> {
  const sleep = programFile('sleep')
  if (sleep === null) return 'there is no program "sleep"'
  const [file, ...first] = launched(launcher)
  const child = spawn(file!, [...first, sleep, '5'], { stdio: 'ignore', env: {} })
  const ended = once(child, 'exit')
  while (child.exitCode === null && userOf(child.pid) !== sandboxUserId) await wait(2)
  try {
    process.kill(child.pid!, 'SIGKILL')
  } catch {
    return 'the server has no right to end processes of another user (CAP_KILL)'
  }
  await ended
  return null
}

/** The user that a process runs as; null where the system does not say. */
export function userOf(pid: number | undefined): number | null {
  const found = /^Uid:\s+(\d+)/m.exec(textOfFile(`/proc/${pid}/status`))?.[1]
  return found === undefined ? null : Number(found)
}

function programFile(name: string): string | null {
  for (const folder of folders) if (existsSync(`${folder}/${name}`)) return `${folder}/${name}`
  return null
}
