/** `onstable completion bash`: lets the shell complete commands and options. */
import { Argument, type Command } from 'commander'
import type { Session } from './session.ts'

export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .description('print a script that lets your shell complete onstable')
    .addArgument(new Argument('<shell>').choices(['bash']))
    .addHelpText('after', '\nExample:\n  $ source <(onstable completion bash)')
    .action(() => session.print(bashCompletion(program)))
}

function bashCompletion(program: Command): string {
  const all = branches(program, '')
  const paths = all.flatMap(({ path }) => (path === '' ? [] : `"${path}"`))
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`)
  return `_onstable() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" words="" part longer
  for part in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    longer="\${path:+$path }$part"
    case "$longer" in
    ${paths.join('|')}) path="$longer" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _onstable onstable`
}

/** Every command with what can follow it. */
function branches(command: Command, path: string): { path: string; words: string[] }[] {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const names = command.commands.map((child) => child.name())
  const below = command.commands.flatMap((child) =>
    branches(child, path === '' ? child.name() : `${path} ${child.name()}`),
  )
  return [{ path, words: [...names, ...options, '--help'] }, ...below]
}
