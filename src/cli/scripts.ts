/** `onstable scripts`: what is in force, whether files are fit to be, and new ones. */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { Unanswered } from '../dispatch/dispatch.ts'
import { fault, isSystemError, messageOf } from '../errors.ts'
import { makeFoldersNow } from '../lib/make-folders.ts'
import { createLog } from '../log.ts'
import type { CallbackName, ScriptCheck, ScriptStatus } from '../scripts/scripts.ts'
import type { Backlog } from '../store/store.ts'
import { addScriptHands } from './script-hands.ts'
import {
  addClientOptions,
  addConfigOption,
  type ClientOptions,
  clientOf,
  type Session,
  settingsOf,
} from './session.ts'

interface LocalOptions {
  readonly config?: string
  readonly scripts?: string
  readonly json?: boolean
}

export function addScriptsCommand(program: Command, session: Session): void {
  const scripts = program.command('scripts').description('look at, check and begin callback scripts')
  addClientOptions(scripts.command('list').description('print the scripts of the server and what is wrong'))
    .addHelpText('after', '\nExample:\n  $ onstable scripts list --json')
    .action((options: ClientOptions) => list(session, options))
  addScriptHands(scripts, session)
  addLocalOptions(
    scripts.command('check').description('check script files as saving them would, without a server'),
  )
    .argument('[files...]', 'files, or folders of them (default: the scripts folder)')
    .addHelpText('after', '\nExample:\n  $ onstable scripts check scripts/forward.ts')
    .action((files: string[], options: LocalOptions) => check(session, files, options))
  addLocalOptions(scripts.command('new').description('write a new script file'))
    .argument('<name>', 'name of the file; ".ts" is added')
    .option('--callback <name>', 'callback to begin with', 'onStableStudy')
    .addHelpText('after', '\nExample:\n  $ onstable scripts new forward --callback onStableStudy')
    .action((name: string, options: LocalOptions & { callback: string }) => create(session, name, options))
}

function addLocalOptions(command: Command): Command {
  return addConfigOption(command).addOption(new Option('--scripts <folder>', 'folder of the scripts'))
}

interface Listed extends ScriptStatus {
  readonly paused: boolean
  readonly unanswered: readonly Unanswered[]
}

async function list(session: Session, options: ClientOptions): Promise<void> {
  const client = clientOf(session, options)
  const statuses = (await client.get('/scripts')) as Listed[]
  if (options.json) return session.print(JSON.stringify(statuses))
  const backlogs = (await client.get('/backlog')) as Backlog[]
  const { problemText } = await import('../scripts/scripts.ts')
  if (statuses.length === 0) session.print('There are no scripts')
  const width = Math.max(...statuses.map(({ name }) => name.length))
  for (const { name, state, paused, version, callbacks, problem, unanswered } of statuses) {
    const shown = paused && state === 'in-force' ? 'paused' : state
    session.print(`${name.padEnd(width)}  ${shown.padEnd(9)}  ${version ?? '-'}  ${callbacks.join(', ')}`)
    if (problem !== null) session.print(`  ${problemText(problem)}`)
    for (const each of unanswered) session.print(`  ${unansweredText(each)}`)
    const owed = owedText(backlogs.find(({ script }) => script === name))
    if (owed !== '') session.print(`  ${owed}`)
  }
}

function unansweredText({ callback, times, at, reason, counts }: Unanswered): string {
  const often = times === 1 ? `no answer at ${at}` : `no answer, ${times} times in a row, the last at ${at}`
  return `${callback} gave ${often}: ${reason}. What counts is "${counts}"`
}

/** What is not done; empty if that is nothing. */
function owedText(backlog: Backlog | undefined): string {
  if (backlog === undefined) return ''
  const { behind, waiting, leased, dead } = backlog
  const parts = [
    [behind, 'of the log behind'],
    [waiting, 'waiting'],
    [leased, 'in hand'],
    [dead, 'set aside'],
  ] as const
  return parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ')
}

async function check(session: Session, given: readonly string[], options: LocalOptions): Promise<void> {
  const settings = settingsOf(session, options.config, { scripts: options.scripts })
  const { checkScriptFile, problemText } = await import('../scripts/scripts.ts')
  const { missingGrants } = await import('../host/host.ts')
  const { startRuntime } = await import('../runtime/runtime.ts')
  const folders = given.length > 0 ? given.filter(isFolder) : [settings.scripts]
  const files = [...new Set([...given.filter((each) => !isFolder(each)), ...folders.flatMap(scriptFiles)])]
  if (files.length === 0 && !options.json) session.print(`There are no scripts in ${folders.join(', ')}`)
  const results: { file: string; result: ScriptCheck }[] = []
  await using runtime = await startRuntime({ log: createLog('silent') })
  for (const file of files) {
    const result = await checkScriptFile(file, {
      runtime,
      missingGrants: (script, needs) => missingGrants(settings, script, needs),
    })
    results.push({ file, result })
    if (!result.ok) session.exitCode = 1
    if (options.json) continue
    session.print(
      result.ok ? `${file}: good, with ${result.script.callbacks.join(', ')}` : problemText(result.problem),
    )
  }
  if (options.json)
    session.print(JSON.stringify(results.map(({ file, result }) => ({ file, ...plain(result) }))))
}

function plain(result: ScriptCheck): object {
  if (!result.ok) return result
  const { callbacks, manifest, version } = result.script
  return { ok: true, version, callbacks, needs: manifest.needs }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function scriptFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[^.].*\.[jt]s$/.test(name) && !name.endsWith('.d.ts'))
      .sort()
      .map((name) => join(folder, name))
  } catch (cause) {
    throw fault('bad-setting', `Cannot read the scripts folder "${folder}": ${messageOf(cause)}`, { cause })
  }
}

async function create(
  session: Session,
  name: string,
  options: LocalOptions & { readonly callback: string },
): Promise<void> {
  const { callbacks, isCallback, newScriptText } = await import('../scripts/scripts.ts')
  const { meant } = await import('../lib/nearest.ts')
  if (!/^\w[\w-]*(\.[jt]s)?$/.test(name)) {
    throw fault('bad-request', `"${name}" is no name for a script: expected letters, digits, "-" and "_"`)
  }
  if (!isCallback(options.callback)) {
    const advice = meant(options.callback, Object.keys(callbacks))
    throw fault('bad-request', `There is no callback "${options.callback}": ${advice}`)
  }
  const { scripts } = settingsOf(session, options.config, { scripts: options.scripts })
  const file = join(scripts, /\.[jt]s$/.test(name) ? name : `${name}.ts`)
  writeNew(file, scripts, newScriptText(options.callback as CallbackName))
  session.print(
    options.json ? JSON.stringify({ file }) : `Wrote ${file}: edit it, and a running server takes it up`,
  )
}

function writeNew(file: string, folder: string, text: string): void {
  try {
    makeFoldersNow(folder)
    writeFileSync(file, text, { flag: 'wx' })
  } catch (cause) {
    if (isSystemError(cause, 'EEXIST'))
      throw fault('bad-request', `${file} exists already: choose another name`)
    throw fault('bad-request', `Cannot write ${file}: ${messageOf(cause)}`, { cause })
  }
}
