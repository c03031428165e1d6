/** `onstable settle` and `unsettle`: by hand, what time does otherwise. */
import { Argument, type Command } from 'commander'
import { z } from 'zod'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const folders = { patient: 'patients', study: 'studies', series: 'series' } as const
type LevelName = keyof typeof folders

const answer = z.object({ Changed: z.boolean() })

const commands = {
  settle: {
    description: 'make a resource stable now, with all that is below it',
    done: 'is stable now',
    notDone: 'was stable already',
  },
  unsettle: {
    description: 'let a resource wait again from now',
    done: 'is unstable now',
    notDone: 'was not changed',
  },
} as const

export function addSettleCommands(program: Command, session: Session): void {
  for (const [name, { description, done, notDone }] of Object.entries(commands)) {
    addClientOptions(program.command(name).description(description))
      .addArgument(new Argument('<level>', 'level of the resource').choices(Object.keys(folders)))
      .argument('<id>', 'identifier of the resource')
      .addHelpText(
        'after',
        `\nExample:\n  $ onstable ${name} study 39c06b25-132fa30b-ff1faf63-0a55d7dc-46563510`,
      )
      .action(async (level: LevelName, id: string, options: ClientOptions) => {
        const path = `/${folders[level]}/${encodeURIComponent(id)}/${name}`
        const { Changed } = answer.parse(await clientOf(session, options).post(path))
        if (options.json) session.print(JSON.stringify({ level, id, changed: Changed }))
        else session.print(`${level} ${id} ${Changed ? done : notDone}`)
      })
  }
}
