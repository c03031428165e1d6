/** A sender over a real store and storage, with one modality. */
import { createSender, type Sender, type SenderParts } from '../../src/jobs/jobs.ts'
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
