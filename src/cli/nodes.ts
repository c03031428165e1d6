/** `onstable nodes`: the servers that share the store. */
import type { Command } from 'commander'
import { z } from 'zod'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const node = z
  .object({
    name: z.string(),
    version: z.string(),
    state: z.string(),
    isThisOne: z.boolean(),
    lagMs: z.number(),
    leased: z.number(),
  })
  .loose()
const changed = z.object({ Changed: z.boolean() })

const hands = {
  drain: {
    description: 'let a server take in and run nothing more, so that it can be stopped',
    done: 'takes in and runs nothing more',
    notDone: 'was draining already',
  },
  resume: {
    description: 'let a server go on that was drained',
    done: 'goes on',
    notDone: 'was not draining',
  },
} as const

export function addNodesCommand(program: Command, session: Session): void {
  const nodes = program.command('nodes').description('look at the servers that share the store; take one out')
  addClientOptions(nodes.command('list').description('print who is there'))
    .addHelpText('after', '\nExample:\n  $ onstable nodes list')
    .action((options: ClientOptions) => list(session, options))
  for (const name of Object.keys(hands) as (keyof typeof hands)[]) {
    addClientOptions(nodes.command(name).description(hands[name].description))
      .argument('<name>', 'name of the server, as "onstable nodes list" prints it')
      .addHelpText('after', `\nExample:\n  $ onstable nodes ${name} ct-archive-2`)
      .action((which: string, options: ClientOptions) => hand(session, name, which, options))
  }
}

async function list(session: Session, options: ClientOptions): Promise<void> {
  const answer = z.array(node).parse(await clientOf(session, options).get('/nodes'))
  if (options.json) return session.print(JSON.stringify(answer))
  for (const { name, version, state, isThisOne, lagMs, leased } of answer) {
    const facts = [`version ${version}`, `heard of ${lagMs} ms ago`, `${leased} deliveries in hand`]
    session.print(`${name}${isThisOne ? ' (this one)' : ''}: ${state}, ${facts.join(', ')}`)
  }
}

async function hand(
  session: Session,
  name: keyof typeof hands,
  which: string,
  options: ClientOptions,
): Promise<void> {
  const answer = await clientOf(session, options).post(`/nodes/${encodeURIComponent(which)}/${name}`)
  if (options.json) return session.print(JSON.stringify(answer))
  const { done, notDone } = hands[name]
  session.print(`${which} ${changed.parse(answer).Changed ? done : notDone}`)
}
