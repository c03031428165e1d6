/** The road of one instance, from its bytes to its rows. */
import type { Header } from '../dicom/dicom.ts'
import { fault, isSystemError, messageOf, OnStableError } from '../errors.ts'
import { freeMemory } from '../lib/free-memory.ts'
import { oneAtATime } from '../lib/one-at-a-time.ts'
import { bytesOf } from '../lib/pieces.ts'
import { setAside } from '../storage/storage.ts'
import type { Arrival, Origin, Recorded } from '../store/store.ts'
import { openInDoubt } from './in-doubt.ts'
import type { Intake, IntakeParts, Received, Refusal } from './intake.ts'

interface Incoming {
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  readonly header: Header
  readonly origin: Origin
}

/** Larger ones cost more to write twice, to the journal and to the file, than to sync by themselves. */
const largestWrittenByStore = 64 * 1024

export function createReceive(parts: IntakeParts): Pick<Intake, 'receive' | 'accept'> {
  const { store, storage, writeBehind, settings, agesOf, onAccepted, onRecorded, onReplaced, log } = parts
  // Two that come at once would both find the instance missing, or both find it changed.
  const inTurn = oneAtATime()
  const inDoubt = openInDoubt(store, storage, log)

  return {
    async receive(chunks, header, origin) {
      const incoming = incomingOf(chunks, header, origin)
      if ((await refusalOf(incoming)) !== null) return { status: 'FilteredOut', header }
      // What is held stays then, whatever came: the store sees to it.
      if (settings.overwriteInstances === 'Never') return record(incoming)
      return inTurn(header.ids.instance, () => takeIn(incoming))
    },
    async accept(chunks, header, origin) {
      const incoming = incomingOf(chunks, header, origin)
      const refusal = await refusalOf(incoming)
      if (refusal !== null) return refusal
      if (settings.overwriteInstances === 'Never') await accept(incoming, 'durable')
      else await inTurn(header.ids.instance, () => takeIn(incoming))
      return null
    },
  }

  function incomingOf(chunks: readonly Uint8Array[], header: Header, origin: Origin): Incoming {
    if (parts.isDraining()) throw fault('draining', 'This server takes in nothing more: send to another one')
    const sizeBytes = bytesOf(chunks)
    if (sizeBytes > settings.maxInstanceMb * 1024 * 1024) {
      throw fault(
        'too-large',
        `The instance has ${sizeBytes} bytes; "maxInstanceMb" allows ${settings.maxInstanceMb} MB`,
      )
    }
    return { chunks, sizeBytes, header, origin }
  }

  /** Nobody is asked of an instance that is held already. */
  async function refusalOf({ header, sizeBytes, origin }: Incoming): Promise<Refusal | null> {
    if (!parts.isAsked(origin)) return null
    const { instance } = header.ids
    if ((await store.holds([instance])).has(instance)) return null
    return parts.ask(header, sizeBytes, origin)
  }

  async function takeIn(incoming: Incoming): Promise<Received> {
    const { chunks, header, origin } = incoming
    const held = (await store.holds([header.ids.instance])).get(header.ids.instance) ?? null
    if (held !== null && (await staysAsHeld(held, chunks))) return { status: 'AlreadyStored', header }
    const received = await record(incoming)
    if (received.status === 'Success' && held !== null) onReplaced(header, origin)
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

  /** Ends when it is durable and it is known whether it was held; rows may follow. */
  async function record(incoming: Incoming): Promise<Received> {
    const { header } = incoming
    const recorded = await accept(incoming, 'known')
    return { status: recorded?.status ?? 'Success', header }
  }

  /** Ends when it is durable. @returns null: its rows follow */
  async function accept(incoming: Incoming, until: 'durable' | 'known'): Promise<Recorded | null> {
    const arrival = await written(incoming)
    const { isOwed, recorded } = await takenOrRemoved(arrival, store.accept(arrival, until))
    if (!isOwed) return conclude(arrival, await recorded)
    onAccepted()
    recorded.then((each) => conclude(arrival, each)).catch((thrown) => onUnrecorded(arrival, thrown))
    return null
  }

  /** The store writes a small file together with the rows; it is synced later, with others. */
  async function written({ chunks, sizeBytes, header, origin }: Incoming): Promise<Arrival> {
    const isSmall = sizeBytes <= largestWrittenByStore
    const isWrittenByStore = isSmall && store.keepsBytes && writeBehind.mayWriteUnsynced()
    const { file, content } = isWrittenByStore
      ? await storage.prepare(chunks)
      : { file: await storage.write(chunks), content: null }
    freeMemory(chunks)
    const whenHeld = settings.overwriteInstances === 'Never' ? 'keep' : 'replace'
    return { header, file, sizeBytes, content, origin, ages: agesOf(header, origin), whenHeld }
  }

  async function conclude(
    { file, content, ages, header, origin }: Arrival,
    recorded: Recorded,
  ): Promise<Recorded> {
    writeBehind.onBatches(recorded.unsyncedBatches)
    if (recorded.status === 'Success') {
      storage.keep(file)
      onRecorded(ages, header, origin)
    } else if (content === null) {
      await storage.remove(file)
    } else {
      storage.forgo(file)
    }
    return recorded
  }

  /** The sender was told that it is stored. */
  async function onUnrecorded({ file }: Arrival, thrown: unknown): Promise<void> {
    if (thrown instanceof OnStableError && thrown.code === 'shutting-down') return
    await setAside(storage, file, messageOf(thrown), log).catch((error) =>
      log.error({ file, reason: messageOf(error) }, 'A file without a row could not be set aside'),
    )
  }

  async function takenOrRemoved<T>({ file, content }: Arrival, taken: Promise<T>): Promise<T> {
    try {
      return await taken
    } catch (thrown) {
      if (content !== null) writeBehind.onFailure()
      await inDoubt.decide(file)
      throw thrown
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
