/** `bin/onstable.js`, as a shell and as JavaScript. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/folders.ts'
import { childrenOf } from './support/processes.ts'

const launcher = fileURLToPath(new URL('../bin/onstable.js', import.meta.url))

interface Launched extends AsyncDisposable {
  readonly child: ChildProcess
  said(): string
}

/** Starts the server in a process group of its own, and waits until it serves. */
async function launch(command: string, before: readonly string[], folder: string): Promise<Launched> {
  const folders = ['--data', join(folder, 'data'), '--scripts', join(folder, 'scripts')]
  const parameters = [...before, 'start', ...folders, '--http-port', '0', '--dicom-port', '0']
  const child = spawn(command, parameters, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = once(child, 'close')
  await once(child.stdout, 'data')
  return {
    child,
    said: () => said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const commandLineOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

test.runIf(existsSync('/proc/self/cmdline'))(
  'the command becomes the server: no process waits beside it',
  async () => {
    using folder = temporaryFolder()
    // As npm links it.
    const link = join(folder.path, 'onstable')
    symlinkSync(launcher, link)
    await using launched = await launch(link, [], folder.path)
    const pid = launched.child.pid!
    expect(commandLineOf(pid)).toContain('src/main.ts')
    expect(childrenOf(pid).filter((child) => commandLineOf(child.pid).includes('main.ts'))).toEqual([])
  },
)

test('any Node that runs it hands over to the one that is carried, and tells it of the end', async () => {
  using folder = temporaryFolder()
  await using launched = await launch(process.execPath, [launcher], folder.path)
  launched.child.kill('SIGTERM')
  expect(await once(launched.child, 'close')).toEqual([0, null])
})

test('a terminal that interrupts the whole group is an orderly end: no sandbox dies of it', async () => {
  using folder = temporaryFolder()
  await using launched = await launch(launcher, [], folder.path)
  process.kill(-launched.child.pid!, 'SIGINT')
  expect(await once(launched.child, 'close')).toEqual([0, null])
  expect(launched.said()).not.toContain('died')
})
