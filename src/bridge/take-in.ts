/** Carries out what a message says, as often as it takes, so that it may be acknowledged. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Header } from '../dicom/dicom.ts'
import { fault, messageOf, OnStableError } from '../errors.ts'
import { type Commanded, heldElsewhere, type Origin } from '../store/store.ts'
import type { Announcements } from './announcements.ts'
import type { BridgeParts } from './bridge.ts'
import type { Incoming } from './incoming.ts'
import type { Orthancs } from './orthancs.ts'

export interface TakeInParts
  extends Pick<BridgeParts, 'store' | 'log' | 'agesOf' | 'onRecorded' | 'onCommanded'> {
  readonly orthancs: Orthancs
  readonly announcements: Pick<Announcements, 'onMark'>
}

export type TakenIn = 'arrival' | 'repeated' | 'command' | 'mark' | 'passed-over'

/**
 * Durable when resolved. What is away is waited for.
 * @param before called at once; resolves when all that came before has been taken in
 * @throws what will not get better, and the signal's reason
 */
export type TakeIn = (
  incoming: Incoming,
  before: () => Promise<unknown>,
  signal: AbortSignal,
) => Promise<TakenIn>

const againMs = 1_000
/** Below the half hour after which a broker takes a message away that nobody acknowledges. */
const mostMs = 15 * 60_000
/** A failure that nobody foresaw may be one of the moment. */
const mostTries = 5

const origin: Omit<Origin, 'remoteAet'> = {
  requestOrigin: 'Broker',
  remoteIp: '',
  calledAet: '',
  username: '',
}

export function takeInWith(parts: TakeInParts): TakeIn {
  const { store, orthancs, announcements, log } = parts

  const record = async (header: Header, remoteAet: string): Promise<TakenIn> => {
    const from = { ...origin, remoteAet }
    const ages = parts.agesOf(header, from)
    const { status } = await store.record({
      header,
      file: heldElsewhere,
      sizeBytes: 0,
      content: null,
      origin: from,
      ages,
      whenHeld: 'keep',
    })
    if (status === 'AlreadyStored') return 'repeated'
    parts.onRecorded(ages)
    return 'arrival'
  }
  const takeIn = async (
    incoming: Incoming,
    before: Promise<unknown> | null,
    signal: AbortSignal,
  ): Promise<TakenIn> => {
    switch (incoming.kind) {
      case 'told':
        return record(incoming.header, incoming.remoteAet)
      case 'named':
        return record(await orthancs.headerOf(incoming.id, signal), '')
      case 'command': {
        await before
        signal.throwIfAborted()
        const result = await store.command(incoming.id, incoming.command)
        if (result === 'done') parts.onCommanded()
        else if (result !== 'repeated') throw fault('bad-message', refusals[result])
        return result === 'done' ? 'command' : 'repeated'
      }
      case 'mark':
        await before
        signal.throwIfAborted()
        await announcements.onMark(incoming.id)
        return 'mark'
      case 'passed-over':
        return 'passed-over'
      default:
        return incoming satisfies never
    }
  }
  return async (incoming, before, signal) => {
    const startedAt = performance.now()
    const isInOrder = incoming.kind === 'command' || incoming.kind === 'mark'
    const cameBefore = isInOrder ? before() : null
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      try {
        return await takeIn(incoming, cameBefore, signal)
      } catch (error) {
        if (signal.aborted || !mayGetBetter(error, tries, performance.now() - startedAt)) throw error
        if (tries === 1) log.warn({ reason: messageOf(error) }, 'A message has to wait; trying again')
      }
      await wait(againMs, undefined, { signal })
    }
  }
}

const refusals: Readonly<Record<Exclude<Commanded, 'done' | 'repeated'>, string>> = {
  'unknown-resource': 'There is no such resource',
  'unknown-script': 'There is no such script',
  'unknown-callback': 'The script has no such callback that is told that this is stable',
  'nothing-to-tell': 'The resource has not been stable yet',
}

function mayGetBetter(error: unknown, tries: number, sinceMs: number): boolean {
  if (!(error instanceof OnStableError)) return tries < mostTries
  switch (error.code) {
    // Until it is back: the broker keeps what is not acknowledged.
    case 'store-away':
    case 'storage-full':
    case 'shutting-down':
      return true
    case 'http-failed':
      return sinceMs < mostMs
    case 'internal':
      return tries < mostTries
    default:
      return false
  }
}
