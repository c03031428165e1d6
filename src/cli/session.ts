/** What a command has to do with the world outside: the environment, the output, the exit code. */
import { type Command, Option } from 'commander'
import { readSettings, type Settings } from '../config.ts'
import { createClient, type RestClient } from './client.ts'

export interface Session {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Somebody is looking: progress may be drawn. */
  readonly isTerminal: boolean
  /** Of the process; a command sets 1 when it did not fail as a whole but something did. */
  exitCode: number
  /** A line on the standard output, or an entry of which further lines are indented. */
  print(entry: string): void
  /** A line on the standard error output, after the name of the program. */
  complain(line: string): void
}

/** The options of every command that talks to a running server. */
export interface ClientOptions {
  readonly url?: string
  readonly token?: string
  readonly config?: string
  readonly json?: boolean
}

export function addClientOptions(command: Command): Command {
  return addConfigOption(command)
    .addOption(new Option('--url <url>', 'server to ask (default: host and port of the settings)'))
    .addOption(new Option('--token <token>', 'bearer token of the server (or ONSTABLE_TOKEN)'))
}

/** For every command that reads the settings. */
export function addConfigOption(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'settings file (default: onstable.json, if there is one)'))
    .addOption(new Option('--json', 'print JSON'))
}

export function settingsOf(
  session: Session,
  config: string | undefined,
  flags: Readonly<Record<string, unknown>> = {},
): Settings {
  return readSettings(flags, session.environment, config ?? null)
}

export function clientOf(session: Session, { url, token, config }: ClientOptions): RestClient {
  const settings = settingsOf(session, config, { token })
  const isAnyAddress = ['0.0.0.0', '::'].includes(settings.host)
  const host = isAnyAddress ? '127.0.0.1' : settings.host
  const own = `http://${host.includes(':') ? `[${host}]` : host}:${settings.httpPort}`
  return createClient(url ?? own, settings.token)
}
