/** `onstable completion bash` or `zsh`: lets the shell complete commands and options. */
import { Argument, type Command } from 'commander'
import type { Session } from './session.ts'

export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .description('print a script that lets your shell complete onstable')
    .addArgument(new Argument('<shell>').choices(Object.keys(completions)))
    .addHelpText('after', '\nExample:\n  $ source <(onstable completion bash)')
    .action((shell: keyof typeof completions) => {
      for (const line of completions[shell](branches(program, '')).split('\n')) session.print(line)
    })
}

interface Branch {
  /** The commands that lead to it, such as `runs list`. */
  readonly path: string
  /** What can follow them. */
  readonly words: readonly string[]
}

const completions = { bash: bashCompletion, zsh: zshCompletion }

const pathsOf = (all: readonly Branch[]) =>
  all.flatMap(({ path }) => (path === '' ? [] : `"${path}"`)).join('|')

function bashCompletion(all: readonly Branch[]): string {
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`)
  return `_onstable() {
  local word="\${COMP_WORDS[COMP_CWORD]}" path="" words="" part longer
  for part in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    longer="\${path:+$path }$part"
    case "$longer" in
    ${pathsOf(all)}) path="$longer" ;;
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

function zshCompletion(all: readonly Branch[]): string {
  const cases = all.map(({ path, words }) => `    "${path}") found=(${words.join(' ')}) ;;`)
  return `#compdef onstable
_onstable() {
  local chosen="" part longer
  local -a found
  for part in "\${(@)words[2,CURRENT-1]}"; do
    longer="\${chosen:+$chosen }$part"
    case "$longer" in
    ${pathsOf(all)}) chosen="$longer" ;;
    esac
  done
  case "$chosen" in
${cases.join('\n')}
  esac
  compadd -a found || _files
}
compdef _onstable onstable`
}

/** Every command with what can follow it. */
function branches(command: Command, path: string): Branch[] {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const names = command.commands.map((child) => child.name())
  const below = command.commands.flatMap((child) =>
    branches(child, path === '' ? child.name() : `${path} ${child.name()}`),
  )
  return [{ path, words: [...names, ...options, '--help'] }, ...below]
}
