/** Runs the command `onstable` as its own process. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface RunningCommand extends AsyncDisposable {
  /** Whole lines printed so far. */
  lines(): string[]
  errors(): string
  signal(name: NodeJS.Signals): void
  /** The exit code. */
  readonly ended: Promise<number | null>
}

/** Runs a command to its end. */
export async function onstable(
  parameters: readonly string[],
  environment: Record<string, string> = {},
): Promise<CommandResult> {
  const command = start(parameters, environment)
  const code = await command.ended
  return { code, output: command.output(), errors: command.errors() }
}

/** Starts a command that goes on until it is told to stop; it is killed at the end of the scope. */
export function startCommand(
  parameters: readonly string[],
  environment: Record<string, string> = {},
): RunningCommand {
  const { child, output, errors, ended } = start(parameters, environment)
  return {
    lines: () => output().split('\n').slice(0, -1),
    errors,
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function start(parameters: readonly string[], environment: Record<string, string>) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('ONSTABLE_'))
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [main, ...parameters], {
    // A folder without settings file.
    cwd: tmpdir(),
    env: { ...Object.fromEntries(clean), ...environment },
  })
  child.stdin.end()
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: string) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: string) => {
    errors += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, output: () => output, errors: () => errors, ended }
}
