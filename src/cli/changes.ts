/** `onstable changes tail`: the log as it grows. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { fault, messageOf } from '../errors.ts'
import type { RestClient } from './client.ts'
import { onInterrupt } from './interrupt.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const pollIntervalMs = 500
const changesPerPage = 1_000

const page = z.object({
  Changes: z.array(
    z.object({ ChangeType: z.string(), Date: z.string(), Path: z.string(), Seq: z.number() }).loose(),
  ),
  Done: z.boolean(),
  Last: z.number(),
})

interface TailOptions extends ClientOptions {
  readonly since?: string
  readonly type?: string
}

export function addChangesCommand(program: Command, session: Session): void {
  const changes = program.command('changes').description('look at the log of changes')
  addClientOptions(changes.command('tail').description('print each change as it happens, until Ctrl-C'))
    .option('--since <number>', 'start after this change (default: the newest)')
    .option('--type <types>', 'only these, such as "StableStudy;StableSeries"')
    .addHelpText('after', '\nExample:\n  $ onstable changes tail --since 0 --type StableStudy --json')
    .action((options: TailOptions) => tail(session, options))
}

async function tail(session: Session, options: TailOptions): Promise<void> {
  const interrupted = new AbortController()
  const stopListening = onInterrupt(() => interrupted.abort())
  const { signal } = interrupted
  const client = clientOf(session, options)
  const type = options.type === undefined ? '' : `&type=${encodeURIComponent(options.type)}`
  try {
    let since = options.since === undefined ? await newest(client) : wholeNumber(options.since)
    let isLost = false
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        const read = page.parse(await client.get(`/changes?since=${since}&limit=${changesPerPage}${type}`))
        for (const change of read.Changes)
          session.print(options.json ? JSON.stringify(change) : lineOf(change))
        since = read.Changes.at(-1)?.Seq ?? since
        isLost = false
        if (!read.Done) continue
      } catch (error) {
        // A server that was there comes back, most of the time.
        if (isFirst) throw error
        if (!isLost) session.complain(`${messageOf(error)}; trying again`)
        isLost = true
      }
      await wait(pollIntervalMs, undefined, { signal }).catch(() => {})
    }
  } finally {
    stopListening()
  }
}

async function newest(client: RestClient): Promise<number> {
  return page.parse(await client.get('/changes?last')).Last
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw fault('bad-request', `"--since" must be the number of a change, got "${text}"`)
}

function lineOf({ Seq, Date: at, ChangeType, Path }: z.infer<typeof page>['Changes'][number]): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(at) ?? []
  const time = year === undefined ? at : `${year}-${month}-${day} ${hour}:${minute}:${second}`
  return `${String(Seq).padStart(7)}  ${time}  ${ChangeType.padEnd(15)}  ${Path}`
}
