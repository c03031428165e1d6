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

/** Larger files would hold up what else the store has to do. */
const largestWrittenByStore = 2 * 1024 * 1024

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
    const incoming = { chunks, sizeBytes, header, origin }
    // What is held stays then, whatever came: the store sees to it while it records.
    if (settings.overwriteInstances === 'Never' && isWrittenByStore(sizeBytes)) return record(incoming)
    return inTurn(header.ids.instance, () => takeIn(incoming))
  }

  /** The store writes a file together with the rows; it is synced later, with others. */
  function isWrittenByStore(sizeBytes: number): boolean {
    return sizeBytes <= largestWrittenByStore && writeBehind.mayWriteUnsynced()
  }

  async function takeIn(incoming: Incoming): Promise<Received> {
    const { chunks, header } = incoming
    const held = (await store.holds([header.ids.instance])).get(header.ids.instance) ?? null
    if (held !== null && (await staysAsHeld(held, chunks))) return { status: 'AlreadyStored', header }
    const received = await record(incoming)
    if (received.status === 'Success' && held !== null) onReplaced()
    return received
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

  async function record(incoming: Incoming): Promise<Received> {
    const { chunks, sizeBytes, header, origin } = incoming
    const { file, content } = isWrittenByStore(sizeBytes)
      ? await storage.prepare(chunks)
      : { file: await storage.write(chunks), content: null }
    const ages = agesOf(header, origin)
    const whenHeld = settings.overwriteInstances === 'Never' ? 'keep' : 'replace'
    const arrival: Arrival = { header, file, sizeBytes, content, origin, ages, whenHeld }
    const { status, unsyncedBatches } = await recordOrRemove(arrival)
    writeBehind.onBatches(unsyncedBatches)
    if (status === 'Success') {
      storage.keep(file)
      onRecorded(ages)
    } else if (content === null) {
      await storage.remove(file)
    } else {
      storage.forgo(file)
    }
    return { status, header }
  }

  async function recordOrRemove(arrival: Arrival) {
    try {
      return await store.record(arrival)
    } catch (thrown) {
      if (arrival.content !== null) writeBehind.onFailure()
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
