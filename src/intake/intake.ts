/**
 * How instances come in: by HTTP and by C-STORE, to the storage and to the index. Door of the folder. A small
 * instance is given to the store whole; the file of a large one is written before:
 *
 *   bytes ─► header ─► storage.write ─► store.accept ─► answer by C-STORE ─► recorded ─► storage.keep ─► answer by HTTP
 *                            │               │                                  │
 *                            ▼               ▼ failed                           ▼ another was first
 *                     nothing is left   storage.remove                    storage.remove
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
  readonly store: Pick<Store, 'holds' | 'accept' | 'record' | 'orphans' | 'keepsBytes'>
  /** Whether nothing more is taken in. */
  readonly isDraining: () => boolean
  readonly storage: Pick<Storage, 'write' | 'prepare' | 'keep' | 'forgo' | 'remove' | 'read' | 'setAside'>
  readonly writeBehind: Pick<WriteBehind, 'mayWriteUnsynced' | 'onBatches' | 'onFailure'>
  readonly settings: Pick<Settings, 'maxInstanceMb' | 'overwriteInstances'>
  readonly log: Log
  /** The ages that an arrival gives its series, study and patient. */
  agesOf(header: Header, origin: Origin): Ages
  /** Whether anybody is to be asked of an instance that comes this way. */
  isAsked(origin: Origin): boolean
  /** Whether it is to be kept. Null: it is. */
  ask(header: Header, sizeBytes: number, origin: Origin): Promise<Refusal | null>
  /** Called after each instance that was accepted; its rows follow. */
  onAccepted(): void
  /** Called after each instance that was recorded. */
  onRecorded(ages: Ages, header: Header, origin: Origin): void
  /** Called after an instance took the place of an older one, whose file is in the store's trash now. */
  onReplaced(header: Header, origin: Origin): void
}

/** A script does not want an instance to be kept. */
export interface Refusal {
  /** The DIMSE status that the sender is told. */
  readonly status: number
}

export interface Received {
  readonly status: 'Success' | 'AlreadyStored' | 'FilteredOut'
  readonly header: Header
}

export interface Intake {
  /**
   * Takes in one instance: durable when resolved. Its rows follow at once; whoever asks the store finds them.
   * @param chunks the bytes of its file, which are given away; when it has ended nothing looks at them any more
   * @returns the refusal of a script that did not want it; null: it is kept
   * @throws `too-large`, `storage-full`; nothing is left of the instance then
   */
  accept(chunks: readonly Uint8Array[], header: Header, origin: Origin): Promise<Refusal | null>
  /** The same for a sender that is told whether the instance was there already. */
  receive(chunks: readonly Uint8Array[], header: Header, origin: Origin): Promise<Received>
  /**
   * Takes in the body of `POST /instances`: a DICOM file, a ZIP archive of some, or a form with some.
   * @param body its bytes as they came
   * @throws `bad-dicom-file`, `missing-identifier`, `bad-request`, and what `receive` throws
   */
  upload(body: readonly Buffer[], headers: IncomingHttpHeaders, origin: Origin): Promise<UploadAnswer>
}

export function createIntake(parts: IntakeParts): Intake {
  const { receive, accept } = createReceive(parts)
  const largestBytes = Math.floor(parts.settings.maxInstanceMb * 1024 * 1024)
  return { receive, accept, upload: createUpload(receive, largestBytes) }
}
