/**
 * The senders: the same for every server, in this process, with Nagle's delay off. They say when the first
 * byte went out and when the last answer came in.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'undici'
import { z } from 'zod'
import { associate, storeRequest } from './c-store.ts'
import { type Answer, openUploader } from './http-upload.ts'
import { makeSamples, type Sample } from './samples.ts'

export interface Sent {
  /** Both in milliseconds of `performance.now()`. */
  readonly firstSendMs: number
  readonly lastAnswerMs: number
}

/** Where instances go. */
export interface Receiver {
  readonly url: string
  readonly dicomPort: number
  readonly aet: string
}

export type Protocol = 'HTTP' | 'C-STORE'

/** Sends all samples over that many kept connections at once; throws unless each is answered as stored. */
export async function send(
  receiver: Receiver,
  protocol: Protocol,
  connections: number,
  samples: readonly Sample[],
): Promise<Sent> {
  await using open = new AsyncDisposableStack()
  const each = Array.from({ length: connections })
  switch (protocol) {
    case 'HTTP': {
      const uploaders = await Promise.all(each.map(async () => open.use(await openUploader(receiver.url))))
      const senders = uploaders.map(
        ({ upload }) =>
          async ({ file }: Sample) =>
            studyIn(await upload(file)),
      )
      return await sendAll(senders, samples)
    }
    case 'C-STORE': {
      const associations = await Promise.all(
        each.map(async () => open.use(await associate(receiver.dicomPort, receiver.aet))),
      )
      const maxUnit = Math.min(...associations.map((association) => association.maxUnit))
      const requests = samples.map((sample) => storeRequest(sample, maxUnit))
      return await sendAll(
        associations.map((association) => association.store),
        requests,
      )
    }
    default:
      return protocol satisfies never
  }
}

/** Whichever sender is free takes the next. */
async function sendAll<T>(
  senders: readonly ((next: T) => Promise<unknown>)[],
  all: readonly T[],
): Promise<Sent> {
  let next = 0
  const firstSendMs = performance.now()
  await Promise.all(
    senders.map(async (sendOne) => {
      for (let one = all[next++]; one !== undefined; one = all[next++]) await sendOne(one)
    }),
  )
  return { firstSendMs, lastAnswerMs: performance.now() }
}

/** Uploads by `POST /instances`; answers with the identifier of the study. */
export async function upload(client: Client, sample: Sample): Promise<string> {
  const { statusCode, body } = await client.request({
    method: 'POST',
    path: '/instances',
    headers: { 'content-type': 'application/dicom' },
    body: sample.file,
  })
  return studyIn({ status: statusCode, text: await body.text() })
}

/** Throws unless the instance was stored. */
function studyIn({ status, text }: Answer): string {
  if (status !== 200) throw new Error(`POST /instances was answered with ${status}: ${text}`)
  return answerSchema.parse(JSON.parse(text)).ParentStudy
}

const answerSchema = z.object({ Status: z.literal('Success'), ParentStudy: z.string() })

export interface Load {
  /** @returns how many were sent */
  end(): Promise<number>
}

/** Uploads instances of 6 KB over four connections at their times, until it is ended. */
export function sendSteadily({ url }: Receiver, perSecond: number): Load {
  const clients = Array.from({ length: 4 }, () => new Client(url))
  const answers: Promise<unknown>[] = []
  let isOver = false
  const sending = (async () => {
    const startMs = performance.now()
    while (!isOver) {
      const set = { size: '6 KB', studies: 10, seriesPerStudy: 1, run: Date.now() } as const
      for (const sample of makeSamples({ ...set, instances: perSecond })) {
        if (isOver) break
        answers.push(upload(clients[answers.length % clients.length]!, sample))
        await delay(Math.max(0, startMs + (answers.length * 1_000) / perSecond - performance.now()))
      }
    }
  })()
  return {
    async end() {
      isOver = true
      await sending
      await Promise.all(answers)
      await Promise.all(clients.map((client) => client.close()))
      return answers.length
    },
  }
}
