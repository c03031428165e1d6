/** A PostgreSQL of its own, in a temporary folder, that may be stopped at once and started again. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { onPostgres } from './postgres.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const installed = '/usr/lib/postgresql'

export interface OwnPostgres extends AsyncDisposable {
  /** postgres://… */
  readonly url: string
  /** As when the power is cut: nothing is brought to an end. */
  crash(): Promise<void>
  /** @returns since when it takes connections, of `Date.now()` */
  start(): Promise<number>
  /** Another one that has all that this one has committed before that is answered, and can take its place. */
  startStandby(): Promise<Standby>
}

export interface Standby extends OwnPostgres {
  promote(): Promise<void>
}

export const isPostgresInstalled = () => programs() !== null

/** Null: no PostgreSQL is installed. */
function programs(): string | null {
  if (!existsSync(installed)) return null
  const versions = readdirSync(installed).sort((left, right) => Number(right) - Number(left))
  const folders = versions.map((version) => join(installed, version, 'bin'))
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

/** @throws when none is installed */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const place = await makePlace()
  const { call, data } = place
  const auth = ['--auth', 'trust', '--username', 'onstable', '--encoding', 'UTF8', '--locale', 'C']
  await call('initdb', '--pgdata', data, ...auth)
  return startIn(place)
}

interface Place {
  readonly folder: string
  readonly data: string
  readonly port: number
  /** Runs a program of PostgreSQL, as a user that may. */
  call(program: string, ...parameters: string[]): Promise<unknown>
}

async function makePlace(): Promise<Place> {
  const bin = programs()
  if (bin === null) throw new Error(`No PostgreSQL is installed below ${installed}`)
  const folder = mkdtempSync(join(tmpdir(), 'onstable-postgres-'))
  const isRoot = process.getuid?.() === 0
  // It does not run as root.
  if (isRoot) execFileSync('chown', ['postgres', folder])
  const other = ['--reuid=postgres', '--regid=postgres', '--clear-groups']
  return {
    folder,
    data: join(folder, 'data'),
    port: await freePort(),
    call: (program, ...parameters) =>
      isRoot
        ? run('setpriv', [...other, join(bin, program), ...parameters], { cwd: folder })
        : run(join(bin, program), parameters, { cwd: folder }),
  }
}

async function startIn({ folder, data, port, call }: Place): Promise<Standby> {
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
  const url = `postgres://onstable@127.0.0.1:${port}/postgres`
  await start()
  return {
    url,
    crash,
    start,
    async startStandby() {
      const place = await makePlace()
      const from = ['--host', '127.0.0.1', '--port', String(port), '--username', 'onstable']
      await place.call(
        'pg_basebackup',
        ...from,
        '--pgdata',
        place.data,
        '--write-recovery-conf',
        '--checkpoint',
        'fast',
      )
      const standby = await startIn(place)
      await onPostgres(async (client) => {
        await client.query(`alter system set synchronous_standby_names = '*'`)
        await client.query('select pg_reload_conf()')
        await until('the standby to be in step', async () => {
          const { rows } = await client.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)
          return rows.length > 0
        })
      }, url)
      return standby
    },
    promote: async () => void (await call('pg_ctl', 'promote', '--pgdata', data, '--wait')),
    async [Symbol.asyncDispose]() {
      await crash()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
