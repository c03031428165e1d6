/** A PostgreSQL of its own, in a temporary folder, that may be stopped at once and started again. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

const run = promisify(execFile)
const installed = '/usr/lib/postgresql'

export interface OwnPostgres extends AsyncDisposable {
  /** postgres://… */
  readonly url: string
  /** As when the power is cut: nothing is brought to an end. */
  crash(): Promise<void>
  /** @returns since when it takes connections, of `Date.now()` */
  start(): Promise<number>
}

/** Null: no PostgreSQL is installed. */
function programs(): string | null {
  if (!existsSync(installed)) return null
  const versions = readdirSync(installed).sort((left, right) => Number(right) - Number(left))
  const folders = versions.map((version) => join(installed, version, 'bin'))
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

/** @throws when none is installed */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const bin = programs()
  if (bin === null) throw new Error(`No PostgreSQL is installed below ${installed}`)
  const folder = mkdtempSync(join(tmpdir(), 'onstable-postgres-'))
  const isRoot = process.getuid?.() === 0
  // It does not run as root.
  if (isRoot) execFileSync('chown', ['postgres', folder])
  const as = (program: string, parameters: readonly string[]): [string, string[]] =>
    isRoot
      ? [
          'setpriv',
          ['--reuid=postgres', '--regid=postgres', '--clear-groups', join(bin, program), ...parameters],
        ]
      : [join(bin, program), [...parameters]]
  const call = (program: string, ...parameters: string[]) => run(...as(program, parameters), { cwd: folder })
  const data = join(folder, 'data')
  const port = await freePort()
  await call(
    'initdb',
    '--pgdata',
    data,
    '--auth',
    'trust',
    '--username',
    'onstable',
    '--encoding',
    'UTF8',
    '--locale',
    'C',
  )
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c max_connections=200 -c log_line_prefix='%n '`
  const log = join(folder, 'log')
  const start = async () => {
    await call('pg_ctl', 'start', '--pgdata', data, '--wait', '--log', log, '--options', options)
    const ready = [
      ...readFileSync(log, 'utf8').matchAll(/^(\d+)\.(\d{3}) .*ready to accept connections/gm),
    ].at(-1)
    return ready === undefined ? Date.now() : Number(`${ready[1]}${ready[2]}`)
  }
  const crash = async () =>
    void (await call('pg_ctl', 'stop', '--pgdata', data, '--mode', 'immediate', '--wait').catch(() => {}))
  await start()
  return {
    url: `postgres://onstable@127.0.0.1:${port}/postgres`,
    crash,
    start,
    async [Symbol.asyncDispose]() {
      await crash()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
