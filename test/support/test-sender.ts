/** A sender over a real store and storage, with one modality. */
import { expect } from 'vitest'
import { createSender, type Sender, type SenderParts, type SendLimits } from '../../src/jobs/jobs.ts'
import { type RawReceiverOptions, startRawReceiver } from './raw-receiver.ts'
import { openTestIntake, type TestIntake } from './test-intake.ts'

export interface TestSender extends TestIntake {
  /** Sends to the modality `PACS1`. */
  send(reference: Parameters<Sender['send']>[0], signal?: AbortSignal): ReturnType<Sender['send']>
}

export async function openTestSender(port: number, more: Partial<SenderParts> = {}): Promise<TestSender> {
  const opened = await openTestIntake()
  const { store, storage } = opened
  const modalities = { PACS1: { aet: 'STORE', host: '127.0.0.1', port } }
  const read = (file: string) => storage.read(file)
  const sender = createSender({ settings: { modalities, dicomAet: 'ONSTABLE' }, store, read, ...more })
  return {
    ...opened,
    send: (reference, signal = new AbortController().signal) => sender.send(reference, 'PACS1', signal),
  }
}

/** A receiver with these ways, and a sender that has a study of three instances for it. */
export async function openSenderTo(options: RawReceiverOptions, limits: Partial<SendLimits> = {}) {
  await using opening = new AsyncDisposableStack()
  const receiver = opening.use(await startRawReceiver(options))
  const sender = opening.use(await openTestSender(receiver.port, { limits }))
  for (const instance of ['1', '2', '3']) await sender.receive({ instance })
  const [id] = await sender.store.list('Study', null)
  const opened = opening.move()
  return {
    receiver,
    sender,
    send: (signal?: AbortSignal) => sender.send({ level: 'Study', id: id! }, signal),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What a send that failed is rejected with. */
export const sendFailed = (reason: RegExp) =>
  expect.objectContaining({
    code: 'send-failed',
    message: expect.stringMatching(new RegExp(`^Cannot send to "PACS1": ${reason.source}$`)),
  })
