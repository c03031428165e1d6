/** The walls that the operating system puts around a child, as the kernel tells of them. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { neededFiles } from '../../src/runtime/spawn.ts'
import { describeWalls } from '../../src/runtime/standing-walls.ts'
import { chooseWalls, sandboxUserId, type Walls } from '../../src/runtime/walls.ts'
import { childPids } from '../support/child-pids.ts'
import { keptLog } from '../support/kept-log.ts'

const run = promisify(execFile)
const printWalls = fileURLToPath(new URL('../support/print-walls.ts', import.meta.url))

let walls: Walls
let stack: AsyncDisposableStack
let pids: number[]
let line: string
let opened: number
beforeAll(async () => {
  stack = new AsyncDisposableStack()
  opened = openSync('/etc/hostname', 'r')
  walls = await chooseWalls(neededFiles())
  const { log, lines } = keptLog()
  stack.use(await startRuntime({ log }))
  pids = childPids('child/entry.ts')
  // The spare may still be one of the programs that become the child one after the other.
  const program = (pid: number) => readlinkSync(`/proc/${pid}/exe`)
  await vi.waitFor(() => expect(new Set(pids.map(program))).toEqual(new Set([process.execPath])), {
    timeout: 10_000,
  })
  line = lines.map(({ msg }) => msg).find((msg) => msg.startsWith('Scripts are behind'))!
})
afterAll(async () => {
  closeSync(opened)
  await stack.disposeAsync()
})

const statusOf = (pid: number, name: string) =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]

const files = (pid: number | 'self') =>
  readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)]
    } catch {
      return []
    }
  })
const openedByName = (pid: number) =>
  files(pid).filter((file) => file.startsWith('/') && file !== '/dev/null')

describe('a child process', () => {
  it('has an empty environment, no folder to work in and no descriptor of the engine', async () => {
    expect(pids.length).toBeGreaterThan(0)
    expect(files('self')).toContain('/etc/hostname')
    for (const pid of pids) {
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('')
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/')
      expect(files(pid)).not.toContain('/etc/hostname')
      // Not at once: the spare may still be reading its modules.
      await vi.waitFor(() => expect(openedByName(pid)).toEqual([]), { timeout: 10_000 })
    }
  })

  it('runs as a user of its own, without groups and rights', (context) => {
    context.skip(walls.missing.has('own user'), walls.missing.get('own user'))
    for (const pid of pids) {
      expect(statusOf(pid, 'Uid')).toBe(Array(4).fill(sandboxUserId).join('\t'))
      expect(statusOf(pid, 'Groups')?.trim()).toBe('')
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(statusOf(pid, set)).toMatch(/^0+$/)
      }
      expect(statusOf(pid, 'NoNewPrivs')).toBe('1')
    }
  })

  it('has a network with nothing in it', (context) => {
    context.skip(walls.missing.has('empty network'), walls.missing.get('empty network'))
    for (const pid of pids) {
      expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'))
      const interfaces = readFileSync(`/proc/${pid}/net/dev`, 'utf8').trim().split('\n').slice(2)
      expect(interfaces.map((each) => each.trim().split(':')[0])).toEqual(['lo'])
      expect(readFileSync(`/proc/${pid}/net/route`, 'utf8').trim().split('\n')).toHaveLength(1)
    }
  })

  it('cannot write files, nor leave its memory on the disk', (context) => {
    context.skip(walls.missing.has('resource limits'), walls.missing.get('resource limits'))
    for (const pid of pids) {
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
      expect(limits).toMatch(/^Max file size\s+0\s+0 /m)
      expect(limits).toMatch(/^Max core file size\s+0\s+0 /m)
    }
  })
})

describe('the line at start', () => {
  it('says which walls stand, and of each other one why it does not', () => {
    expect(line).toContain("Node's permission model")
    for (const [wall, reason] of walls.missing) expect(line).toContain(`${wall} (${reason})`)
    if (walls.missing.size === 0) expect(line).not.toContain('Missing')
  })

  it('tells of the process as it is, not of what was asked for', () => {
    const { text, isWhole } = describeWalls(process.pid, { command: [], missing: new Map() }, 100)
    expect(isWhole).toBe(false)
    expect(text).toMatch(/Missing: own user \(.*\); empty network \(.*\)/)
  })
})

describe('a server that does not run as root', () => {
  /** The line that it prints, with these capabilities. */
  const lineWith = async (capabilities: readonly string[]) => {
    const sets = capabilities.map((name) => `+${name}`).join()
    const ambient = capabilities.length === 0 ? [] : [`--inh-caps=${sets}`, `--ambient-caps=${sets}`]
    const user = ['--reuid=12345', '--regid=12345', '--clear-groups', '--no-new-privs', ...ambient]
    const { stderr } = await run('setpriv', [...user, process.execPath, printWalls], { env: {} })
    return String(JSON.parse(stderr.split('\n')[0]!).msg)
  }

  it('has the walls that need no rights', async (context) => {
    context.skip(walls.missing.has('own user'), walls.missing.get('own user'))
    const line = await lineWith([])
    expect(line).toContain('no new privileges, no files written')
    expect(line).toMatch(/Missing: own user \(.*Operation not permitted\)/)
  })

  it('has all of them with three capabilities, and says so if one of these lacks', async (context) => {
    context.skip(walls.missing.has('own user'), walls.missing.get('own user'))
    expect(await lineWith(['setuid', 'setgid', 'kill'])).toContain(`its own user (${sandboxUserId})`)
    expect(await lineWith(['setuid', 'setgid'])).toMatch(/Missing: own user \(.*CAP_KILL\)/)
  })
})

describe('walls that this machine cannot raise', () => {
  it('are left out, with the reason', async () => {
    const { command, missing } = await chooseWalls(['/nowhere/to/be/found'])
    expect(command.join(' ')).not.toContain('reuid')
    expect(missing.get('own user')).toMatch(/cannot read the files|does not run as root|no program/)
  })
})
