/**
 * The command line: a client of the REST interface, and the start of the server. Door of the folder.
 */
import { Command, CommanderError } from 'commander'
import { messageOf } from '../errors.ts'
import { printable, printableEntry } from '../lib/printable.ts'
import { packageVersion } from '../lib/version.ts'
import { addChangesCommand } from './changes.ts'
import { addCompletionCommand } from './completion.ts'
import { addDeliveriesCommand } from './deliveries.ts'
import { addNodesCommand } from './nodes.ts'
import { addRabbitmqCommand } from './rabbitmq.ts'
import { addRunsCommand } from './runs.ts'
import { addSampleCommand } from './sample.ts'
import { addScriptsCommand } from './scripts.ts'
import { addSendCommand } from './send.ts'
import type { Session } from './session.ts'
import { addSettleCommands } from './settle.ts'
import { addStartCommand } from './start.ts'

type Environment = Session['environment']
type Output = NodeJS.WriteStream

const examples = `
Examples:
  $ onstable start --data /var/lib/onstable --stable-age 30
  $ onstable sample /tmp/dicom && onstable send /tmp/dicom
  $ onstable changes tail --type StableStudy
  $ onstable scripts new forward --callback onStableStudy
  $ onstable scripts check`

/**
 * Runs one command to its end.
 * @param parameters what follows `onstable` on the command line
 * @returns the exit code; what went wrong has been said in one sentence
 */
export async function runCli(
  parameters: readonly string[],
  environment: Environment,
  output: Output,
  errors: Output,
): Promise<number> {
  const session: Session = {
    environment,
    isTerminal: errors.isTTY === true,
    exitCode: 0,
    print: (entry) => void output.write(`${printableEntry(entry)}\n`),
    complain: (line) => void errors.write(`onstable: ${printable(line)}\n`),
  }
  // Whoever reads our output may have had enough, as `head` does.
  output.on('error', () => process.exit(session.exitCode))
  const program = createProgram(session, output)
  try {
    await program.parseAsync(helpLast(parameters), { from: 'user' })
    return session.exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 1
    session.complain(messageOf(thrown).split('\n', 1)[0]!)
    if (wantsDetails(parameters, environment)) {
      errors.write(`${thrown instanceof Error ? thrown.stack : ''}\n`)
    }
    return 1
  }
}

function createProgram(session: Session, output: Output): Command {
  const program = new Command('onstable')
    .description('Receives DICOM, and runs your scripts when a patient, study or series has become stable')
    .version(packageVersion(), '--version', 'print the version')
    // What comes behind a command is that command's: one has a "--version" of its own.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.write(text),
      writeErr: (text) => session.complain(text.trimEnd()),
      outputError: (text, write) => write(oneSentence(text)),
    })
  addStartCommand(program, session)
  addScriptsCommand(program, session)
  addChangesCommand(program, session)
  addRunsCommand(program, session)
  addDeliveriesCommand(program, session)
  addSendCommand(program, session)
  addSettleCommands(program, session)
  addSampleCommand(program, session)
  addNodesCommand(program, session)
  addRabbitmqCommand(program, session)
  addCompletionCommand(program, session)
  return program
}

/** `help runs list` is `runs list --help`: the command of the library knows one level only. */
function helpLast([first, ...others]: readonly string[]): string[] {
  if (first === 'help' && others.length > 1) return [...others, '--help']
  return first === undefined ? [] : [first, ...others]
}

/** `error: unknown command 'strat'\n(Did you mean start?)` → `unknown command 'strat' (Did you mean start?)`. */
function oneSentence(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
}

function wantsDetails(parameters: readonly string[], environment: Environment): boolean {
  return environment.ONSTABLE_LOG_LEVEL === 'debug' || /--log-level[= ]debug\b/.test(parameters.join(' '))
}
