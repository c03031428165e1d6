/**
 * How instances come in: by HTTP and by C-STORE, to the storage and to the index. Door of the folder. A small
 * instance is given to the store whole; a large one, or one that may replace another, goes step by step:
 *
 *   bytes ─► header ─► held already? ─► storage.write ─► store.record ─► storage.keep ─► answer
 *                            │                 │               │
 *                            ▼                 ▼               ▼ failed, or another was first
 *                      AlreadyStored     nothing is left   storage.remove
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../config.ts'
import type { Header } from '../dicom/dicom.ts'
import type { Log } from '../log.ts'
import type { Storage, WriteBehind } from '../storage/storage.ts'
import type { Ages, Origin, Store } from '../store/store.ts'
import { createReceive } from './receive.ts'
import { createUpload, type UploadAnswer } from './upload.ts'

export { type DicomReceiver, startDicomReceiver } from './dicom-receiver.ts'

export interface IntakeParts {
  readonly store: Pick<Store, 'holds' | 'record' | 'orphans'>
  readonly storage: Pick<Storage, 'write' | 'prepare' | 'keep' | 'forgo' | 'remove' | 'read'>
  readonly writeBehind: Pick<WriteBehind, 'mayWriteUnsynced' | 'onBatches' | 'onFailure'>
  readonly settings: Pick<Settings, 'maxInstanceMb' | 'overwriteInstances'>
  readonly log: Log
  /** The ages that an arrival gives its series, study and patient. */
  agesOf(header: Header, origin: Origin): Ages
  /** Called after each instance that was recorded. */
  onRecorded(ages: Ages): void
  /** Called after an instance took the place of an older one, whose file is in the store's trash now. */
  onReplaced(): void
}

export interface Received {
  readonly status: 'Success' | 'AlreadyStored'
  readonly header: Header
}

export interface Intake {
  /**
   * Takes in one instance: durable when resolved.
   * @param chunks the bytes of its file
   * @throws `too-large`, `storage-full`; nothing is left of the instance then
   */
  receive(chunks: readonly Uint8Array[], header: Header, origin: Origin): Promise<Received>
  /**
   * Takes in the body of `POST /instances`: a DICOM file, a ZIP archive of some, or a form with some.
   * @param body its bytes as they came
   * @throws `bad-dicom-file`, `missing-identifier`, `bad-request`, and what `receive` throws
   */
  upload(body: readonly Buffer[], headers: IncomingHttpHeaders, origin: Origin): Promise<UploadAnswer>
}

export function createIntake(parts: IntakeParts): Intake {
  const receive = createReceive(parts)
  const largestBytes = Math.floor(parts.settings.maxInstanceMb * 1024 * 1024)
  return { receive, upload: createUpload(receive, largestBytes) }
}
