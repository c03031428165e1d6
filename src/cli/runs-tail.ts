/** `onstable runs tail`: each run as it ends, over server-sent events. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { createParser } from 'eventsource-parser'
import { messageOf } from '../errors.ts'
import type { RestClient } from './client.ts'
import { onInterrupt } from './interrupt.ts'
import { filterOf, lineOfRun, type RunFilter, run } from './run-lines.ts'
import { adviceOn } from './script-advice.ts'
import { addClientOptions, type ClientOptions, clientOf, type Session } from './session.ts'

const againMs = 1_000

type TailOptions = ClientOptions & Pick<RunFilter, 'script' | 'callback' | 'outcome'>

export function addTailCommand(runs: Command, session: Session): void {
  addClientOptions(runs.command('tail').description('print each run as it ends, until Ctrl-C'))
    .option('--script <name>', 'only of this script')
    .option('--callback <name>', 'only of this callback')
    .option('--outcome <outcomes>', 'only with these outcomes, such as "threw,timed-out"')
    .addHelpText('after', '\nExample:\n  $ onstable runs tail --script forward.ts --outcome threw --json')
    .action((options: TailOptions) => tail(session, options))
}

async function tail(session: Session, options: TailOptions): Promise<void> {
  const interrupted = new AbortController()
  const stopListening = onInterrupt(() => interrupted.abort())
  const { signal } = interrupted
  const client = clientOf(session, options)
  const query = filterOf(options)
  let after = ''
  let isLost = false
  const parser = createParser({
    onEvent({ event, id, data }) {
      if (id !== undefined) after = `&after=${id}`
      if (event !== 'run') return
      session.print(options.json ? data : lineOfRun(run.parse(JSON.parse(data))))
    },
  })
  try {
    for (let hasConnected = false; !signal.aborted; ) {
      try {
        const texts = await client.stream(`/events?kinds=run&${query}${after}`, signal)
        if (!hasConnected) await warnOf(session, client, options.script)
        hasConnected = true
        for await (const text of texts) {
          isLost = false
          parser.feed(text)
        }
      } catch (error) {
        if (signal.aborted) return
        // A server that was there comes back, most of the time.
        if (!hasConnected) throw error
        if (!isLost) session.complain(`The server is gone (${messageOf(error)}); trying again`)
        isLost = true
      }
      parser.reset()
      await wait(againMs, undefined, { signal }).catch(() => {})
    }
  } finally {
    stopListening()
  }
}

/** One that is not there may come. */
async function warnOf(session: Session, client: RestClient, script: string | undefined): Promise<void> {
  const advice = await adviceOn(client, script)
  if (advice !== '') session.complain(`Waiting for runs${advice}`)
}
