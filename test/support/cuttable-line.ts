/**
 * A way to a server of this machine through a network namespace, whose only cable can be pulled: packets are lost then,
 * and neither end is told.
 */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openForwarder } from './forward.ts'
import { leaveOut } from './installed.ts'

export interface CuttableLine extends AsyncDisposable {
  /** Where the server is found by this line. */
  readonly host: string
  readonly port: number
  cut(): void
  mend(): void
}

const program = fileURLToPath(new URL('forward.ts', import.meta.url))
const port = 5432
const ip = (...parameters: string[]) => execFileSync('ip', parameters, { stdio: 'pipe' })

/** Whether this process may make network namespaces. */
export function mayCutLines(): boolean {
  const name = `onstable-${randomBytes(4).toString('hex')}`
  try {
    ip('netns', 'add', name)
    ip('netns', 'delete', name)
    return true
  } catch {
    return leaveOut('network namespaces cannot be made here')
  }
}

/** @param number from 1 to 250, another for each line that is open */
export async function openCuttableLine(number: number, targetPort: number): Promise<CuttableLine> {
  const id = randomBytes(3).toString('hex')
  const [namespace, here, there] = [`onstable-${id}`, `os${id}a`, `os${id}b`]
  const [own, other] = [`10.77.${number}.1`, `10.77.${number}.2`]
  await using parts = new AsyncDisposableStack()
  ip('netns', 'add', namespace)
  parts.defer(() => void ip('netns', 'delete', namespace))
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', namespace)
  ip('address', 'add', `${own}/30`, 'dev', here)
  ip('link', 'set', here, 'up')
  ip('-n', namespace, 'address', 'add', `${other}/30`, 'dev', there)
  ip('-n', namespace, 'link', 'set', there, 'up')
  const inner = parts.use(await openForwarder('127.0.0.1', targetPort))
  const outer = spawn(
    'ip',
    ['netns', 'exec', namespace, process.execPath, program, String(port), own, String(inner.port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  parts.defer(async () => {
    outer.kill('SIGKILL')
    if (outer.exitCode === null && outer.signalCode === null) await once(outer, 'exit')
  })
  await once(outer.stdout, 'data')
  const open = parts.move()
  return {
    host: other,
    port,
    cut: () => void ip('link', 'set', here, 'down'),
    // The address stays; the route came back with the link.
    mend: () => void ip('link', 'set', here, 'up'),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
