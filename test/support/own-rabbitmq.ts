/** A RabbitMQ of its own, in a temporary folder, that may be killed at once and started again. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const program = '/usr/lib/rabbitmq/bin/rabbitmq-server'

export interface OwnRabbitmq extends AsyncDisposable {
  /** amqp://… */
  readonly url: string
  /** Of its management interface, with user and password; null: it has none. */
  readonly managementUrl: string | null
  /** As when the power is cut: nothing is brought to an end. */
  crash(): Promise<void>
  start(): Promise<void>
  /**
   * In order. A queue that was made since the last time is known on disk afterwards: a broker that is killed before that
   * may forget what it had confirmed (seen with 3.10.8: the directory of its logs is written late).
   */
  restart(): Promise<void>
  /** `rabbitmqctl` with these parameters. */
  control(...parameters: string[]): void
}

export const isRabbitmqInstalled = () => existsSync(program)

/** @param hasManagement with the interface by HTTP. @throws when none is installed */
export async function startOwnRabbitmq(hasManagement = false): Promise<OwnRabbitmq> {
  if (!isRabbitmqInstalled()) throw new Error(`No RabbitMQ is installed: ${program} is not there`)
  const folder = mkdtempSync(join(tmpdir(), 'onstable-rabbitmq-'))
  const isRoot = process.getuid?.() === 0
  const [port, distributionPort, managementPort] = [await freePort(), await freePort(), await freePort()]
  for (const name of ['mnesia', 'log']) mkdirSync(join(folder, name))
  if (hasManagement) writeFileSync(join(folder, 'plugins'), '[rabbitmq_management].')
  const management = `management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${managementPort}\n`
  writeFileSync(join(folder, 'rabbitmq.conf'), hasManagement ? management : '')
  // It does not run as root.
  if (isRoot) execFileSync('chown', ['-R', 'rabbitmq', folder])
  const pidFile = join(folder, 'pid')
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_NODENAME: `onstable_${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: pidFile,
  }
  const [command, parameters] = isRoot
    ? ['setpriv', ['--reuid=rabbitmq', '--regid=rabbitmq', '--clear-groups', program]]
    : [program, []]

  const start = async () => {
    rmSync(pidFile, { force: true })
    spawn(command, parameters, { env: environment, cwd: folder, stdio: 'ignore' })
    await until('RabbitMQ to answer', () => answers(port), 90_000)
  }
  const end = async (signal: NodeJS.Signals) => {
    const pid = Number(readFileSync(pidFile, 'utf8'))
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    await until('RabbitMQ to be gone', () => !existsSync(`/proc/${pid}`))
  }
  const crash = () => end('SIGKILL')
  await start()
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    managementUrl: hasManagement ? `http://guest:guest@127.0.0.1:${managementPort}` : null,
    crash,
    start,
    async restart() {
      await end('SIGTERM')
      await start()
    },
    control(...parameters) {
      const line = [join(dirname(program), 'rabbitmqctl'), '-n', environment.RABBITMQ_NODENAME, ...parameters]
      execFileSync(line[0]!, line.slice(1), { env: environment, stdio: 'ignore' })
    },
    async [Symbol.asyncDispose]() {
      await crash()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (does: boolean) => {
      socket.destroy()
      resolve(does)
    }
    // A broker that is ready answers an unknown protocol with its own header.
    socket.on('connect', () => socket.write('HELLO WORLD\r\n'))
    socket.on('data', () => end(true))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.setTimeout(2_000, () => end(false))
  })
}
