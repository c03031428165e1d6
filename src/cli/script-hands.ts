/** `onstable scripts pause`, `resume`, `drain` and `replay`. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { fault } from '../errors.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const changed = z.object({
  Changed: z.boolean(),
  Drained: z.boolean().optional(),
  /** Nothing is served until all are let go on. */
  AllPaused: z.boolean().optional(),
})
const range = z.object({
  deliveries: z.number(),
  waiting: z.number(),
  since: z.number(),
  until: z.number(),
  preview: z.boolean(),
})

interface HandOptions extends ClientOptions {
  readonly all?: boolean
  readonly timeout?: string
}
interface ReplayOptions extends ClientOptions {
  readonly seq?: string
  readonly since?: string
  readonly preview?: boolean
}

const paused = {
  done: 'is paused',
  notDone: 'was paused already',
  allDone: 'All scripts are paused',
  allNotDone: 'All scripts were paused already',
} as const

const hands = {
  pause: { description: 'let what a script is owed wait; runs that have begun may finish', ...paused },
  resume: {
    description: 'serve a script again that was paused, or suspended because it did harm',
    done: 'is served again',
    notDone: 'was neither paused nor suspended',
    allDone: 'Scripts are served again, but for those that are paused or suspended by themselves',
    allNotDone: 'Scripts were not paused all together',
  },
  drain: { description: 'pause, and wait until no run is in hand', ...paused },
} as const

export function addScriptHands(scripts: Command, session: Session): void {
  for (const name of Object.keys(hands) as (keyof typeof hands)[]) {
    const command = addClientOptions(scripts.command(name).description(hands[name].description))
      .argument('[name]', 'name of the script, as "onstable scripts list" prints it')
      .option('--all', 'all scripts, and those that are still to come')
      .addHelpText('after', `\nExample:\n  $ onstable scripts ${name} forward.ts`)
      .action((script: string | undefined, options: HandOptions) => hand(session, name, script, options))
    if (name === 'drain') command.option('--timeout <seconds>', 'how long to wait', '60')
  }
  addClientOptions(
    scripts.command('forget').description('drop what a script is owed whose file is gone, and its keys'),
  )
    .argument('<name>', 'name of the script')
    .addHelpText('after', '\nExample:\n  $ onstable scripts forget forward.ts')
    .action((name: string, options: ClientOptions) => forget(session, name, options))
  addClientOptions(scripts.command('replay').description('tell a script once more of all changes since'))
    .argument('<name>', 'name of the script')
    .addOption(new Option('--seq <number>', 'of those after this change').conflicts('since'))
    .option('--since <time>', 'of those since then, such as 2026-11-26T08:00:00Z')
    .option('--preview', 'only say how many')
    .addHelpText('after', '\nExample:\n  $ onstable scripts replay forward.ts --since 2026-11-26 --preview')
    .action((name: string, options: ReplayOptions) => replay(session, name, options))
}

async function hand(
  session: Session,
  name: keyof typeof hands,
  script: string | undefined,
  options: HandOptions,
): Promise<void> {
  if ((script === undefined) !== (options.all === true)) {
    throw fault('bad-request', 'Give either the name of a script, or "--all"')
  }
  const path = script === undefined ? '' : `/scripts/${encodeURIComponent(script)}`
  const query = name === 'drain' ? `?timeout=${encodeURIComponent(options.timeout ?? '60')}` : ''
  const answer = changed.parse(await clientOf(session, options).post(`${path}/${name}${query}`))
  if (answer.Drained === false) session.exitCode = 1
  const rest = {
    ...(answer.Drained === undefined ? {} : { drained: answer.Drained }),
    ...(answer.AllPaused === true ? { allPaused: true } : {}),
  }
  if (options.json) {
    return session.print(JSON.stringify({ name: script ?? null, changed: answer.Changed, ...rest }))
  }
  const { done, notDone, allDone, allNotDone } = hands[name]
  if (script === undefined) session.print(answer.Changed ? allDone : allNotDone)
  else session.print(`${script} ${answer.Changed ? done : notDone}`)
  if (answer.AllPaused === true)
    session.print('All scripts are paused: it waits for "onstable scripts resume --all"')
  if (answer.Drained === true) session.print('No run is in hand')
  if (answer.Drained === false) session.complain('runs are still in hand; they end by their own limits')
}

async function forget(session: Session, name: string, options: ClientOptions): Promise<void> {
  const answer = await clientOf(session, options).delete(`/scripts/${encodeURIComponent(name)}`)
  const { Changed } = changed.parse(answer)
  session.print(options.json ? JSON.stringify({ name, changed: Changed }) : `${name} is forgotten`)
}

async function replay(session: Session, name: string, options: ReplayOptions): Promise<void> {
  if (options.seq === undefined && options.since === undefined)
    throw fault('bad-request', 'Give "--seq" or "--since": from where on the script is told once more')
  const query = new URLSearchParams()
  if (options.seq !== undefined) query.set('seq', options.seq)
  if (options.since !== undefined) query.set('since', options.since)
  if (options.preview) query.set('preview', '')
  const path = `/scripts/${encodeURIComponent(name)}/replay?${query}`
  const answer = range.parse(await clientOf(session, options).post(path))
  if (options.json) return session.print(JSON.stringify({ name, ...answer }))
  const { deliveries, waiting, since, until, preview } = answer
  const which = `after change ${since}, up to ${until}`
  const owed = waiting === 0 ? '' : `; ${waiting} more ${waiting === 1 ? 'is' : 'are'} owed anyway`
  session.print(`${deliveries} ${preview ? 'would be told' : 'are told'} once more: ${which}${owed}`)
}
