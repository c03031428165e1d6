/** The road of one instance, from its bytes to its rows. */
import type { Header } from '../dicom/dicom.ts'
import { fault, isSystemError, messageOf } from '../errors.ts'
import { oneAtATime } from '../lib/one-at-a-time.ts'
import type { Arrival, Origin } from '../store/store.ts'
import type { Intake, IntakeParts, Received } from './intake.ts'

interface Incoming {
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  readonly header: Header
  readonly origin: Origin
}

type WrittenFile = Pick<Arrival, 'file' | 'unsyncedBytes'>

/** Larger ones cost more twice than they gain by being synced later. */
const largestUnsyncedBytes = 256 * 1024

export function createReceive(parts: IntakeParts): Intake['receive'] {
  const { store, storage, writeBehind, settings, agesOf, onRecorded, onReplaced } = parts
  // Two that come at once would both find the instance missing, or both find it changed.
  const inTurn = oneAtATime()

  return async (chunks, header, origin) => {
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (sizeBytes > settings.maxInstanceMb * 1024 * 1024) {
      throw fault(
        'too-large',
        `The instance has ${sizeBytes} bytes; "maxInstanceMb" allows ${settings.maxInstanceMb} MB`,
      )
    }
    return inTurn(header.ids.instance, () => takeIn({ chunks, sizeBytes, header, origin }))
  }

  async function takeIn(incoming: Incoming): Promise<Received> {
    const { chunks, header } = incoming
    const held = (await store.holds([header.ids.instance])).get(header.ids.instance) ?? null
    if (held !== null && (await staysAsHeld(held, chunks))) return { status: 'AlreadyStored', header }

    const received = await record(await write(incoming), incoming)
    if (received.status === 'Success' && held !== null) onReplaced()
    return received
  }

  /** A small file is synced later, together with others: the store keeps its bytes until then. */
  async function write({ chunks, sizeBytes }: Incoming): Promise<WrittenFile> {
    const isSynced = sizeBytes > largestUnsyncedBytes || !writeBehind.mayWriteUnsynced()
    if (isSynced) return { file: await storage.write(chunks), unsyncedBytes: null }
    const { file, bytes } = await storage.writeUnsynced(chunks)
    return { file, unsyncedBytes: bytes }
  }

  /** Whether what is held is to be left alone. */
  async function staysAsHeld(heldFile: string, chunks: readonly Uint8Array[]): Promise<boolean> {
    switch (settings.overwriteInstances) {
      case 'Never':
        return true
      case 'Always':
        return false
      case 'IfChanged':
        return hasBytes(heldFile, chunks)
      default:
        return settings.overwriteInstances satisfies never
    }
  }

  /** A file that is gone, because the instance has just been deleted, has no bytes any more. */
  async function hasBytes(heldFile: string, chunks: readonly Uint8Array[]): Promise<boolean> {
    try {
      return sameBytes(await storage.read(heldFile), chunks)
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOENT')) return false
      throw thrown
    }
  }

  async function record(written: WrittenFile, { header, sizeBytes, origin }: Incoming): Promise<Received> {
    const { file } = written
    const ages = agesOf(header, origin)
    const whenHeld = settings.overwriteInstances === 'Never' ? 'keep' : 'replace'
    const arrival: Arrival = { ...written, header, sizeBytes, origin, ages, whenHeld }
    const { status, unsyncedBatches } = await recordOrRemove(arrival)
    writeBehind.onBatches(unsyncedBatches)
    if (status === 'AlreadyStored') {
      await storage.remove(file)
    } else {
      storage.keep(file)
      onRecorded(ages)
    }
    return { status, header }
  }

  async function recordOrRemove(arrival: Arrival) {
    try {
      return await store.record(arrival)
    } catch (thrown) {
      if (arrival.unsyncedBytes !== null) writeBehind.onFailure()
      await removeUnlessNamed(arrival.file)
      throw thrown
    }
  }

  /** A failed record may have been committed before it failed: only a file without a row may go. */
  async function removeUnlessNamed(file: string): Promise<void> {
    try {
      const orphans = await store.orphans([file])
      if (orphans.includes(file)) await storage.remove(file)
      else storage.keep(file)
    } catch (thrown) {
      parts.log.warn(
        { file, reason: messageOf(thrown) },
        'A file that may have no row is left to the next start, which removes it then',
      )
    }
  }
}

function sameBytes(held: Buffer, chunks: readonly Uint8Array[]): boolean {
  let at = 0
  for (const chunk of chunks) {
    if (held.compare(chunk, 0, chunk.length, at, Math.min(at + chunk.length, held.length)) !== 0) return false
    at += chunk.length
  }
  return at === held.length
}
