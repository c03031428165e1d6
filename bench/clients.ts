/**
 * The senders: the same for every server, in this process, with Nagle's delay off. They say when the first
 * byte went out and when the last answer came in.
 */
import { Client } from 'undici'
import { z } from 'zod'
import { associate } from './c-store.ts'
import type { Sample } from './samples.ts'

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
  await using senders = new AsyncDisposableStack()
  const stores = await Promise.all(
    Array.from({ length: connections }, async () => {
      if (protocol === 'C-STORE') return senders.use(await associate(receiver.dicomPort, receiver.aet)).store
      const client = senders.adopt(new Client(receiver.url), (each) => each.close())
      return (sample: Sample) => upload(client, sample)
    }),
  )
  let next = 0
  const firstSendMs = performance.now()
  await Promise.all(
    stores.map(async (store) => {
      for (let sample = samples[next++]; sample !== undefined; sample = samples[next++]) await store(sample)
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
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`POST /instances was answered with ${statusCode}: ${text}`)
  return answerSchema.parse(JSON.parse(text)).ParentStudy
}

const answerSchema = z.object({ Status: z.literal('Success'), ParentStudy: z.string() })
