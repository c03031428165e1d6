/**
 * Every operation of the store by name: who runs it (the writing or the reading thread), and whether its
 * commit has to be synced before it is answered.
 */

import type { Settlement } from '../store.ts'
import { addedInstances } from './added.ts'
import { observeAnnouncements } from './announcements.ts'
import { changes, hideChanges } from './changes.ts'
import { command } from './command.ts'
import {
  backlog,
  deliveries,
  delivery,
  dropDead,
  dropDelivery,
  retryDead,
  retryDelivery,
} from './deliveries.ts'
import { find, findAll, holds, instancesAfter, list, related, statistics } from './find.ts'
import { keyValue, keyValueBytes, keyValueList } from './key-value.ts'
import { lease, renew } from './lease.ts'
import { reclaimLeases } from './reclaim.ts'
import { type Entry, recordAll } from './record-all.ts'
import { advanceRelay, changesAfter, relay, releaseRelay, rewindRelay, takeRelay } from './relay.ts'
import { forgetTrash, orphans, remove, trash } from './remove.ts'
import { replayRange, replayRuns, replaySince } from './replay.ts'
import { logSize, retireChanges, stragglers } from './retire-changes.ts'
import { retireRuns, runsSize } from './retire-runs.ts'
import { run, runs, runsToReplay } from './runs.ts'
import {
  forgetScript,
  parkScript,
  pause,
  pausedAll,
  putScript,
  resumeScript,
  scripts,
  scriptVersion,
  suspendScript,
  unpause,
} from './scripts.ts'
import { keepNumber, type Session } from './session.ts'
import { settle, settleAll } from './settle.ts'
import { forceStable, tick } from './tick.ts'
import { markUnstable, windows } from './windows.ts'

interface Operation {
  readonly writes: boolean
  durable(parameters: readonly unknown[]): boolean
  run(session: Session, parameters: readonly unknown[]): unknown
}

const reading = <P extends unknown[]>(run: (session: Session, ...parameters: P) => unknown): Operation => ({
  writes: false,
  durable: () => false,
  run: (session, parameters) => run(session, ...(parameters as P)),
})

const writing = <P extends unknown[]>(
  run: (session: Session, ...parameters: P) => unknown,
  durable: (...parameters: P) => boolean = () => true,
): Operation => ({
  writes: true,
  durable: (parameters) => durable(...(parameters as P)),
  run: (session, parameters) => run(session, ...(parameters as P)),
})

// What is not synced can only be lost as a suffix of the write-ahead log: after a power cut a lease or a
// settlement is undone together with all that came after it, and the callback merely runs again.
const relaxed = () => false

/** What a script remembers is there before its next run, also after a power cut. */
function hasMemory({ keyValueWrites }: Settlement): boolean {
  return keyValueWrites.length > 0
}

/** What these take and answer goes between threads as JSON, at a third of what objects cost. */
const asJson: readonly string[] = ['lease', 'settle', 'settleAll']
export const isJson = (name: OperationName) => asJson.includes(name)

export const operations = {
  holds: reading(holds),
  instancesAfter: reading(instancesAfter),
  // Durable by the journal; the synced commit follows when something else wants one.
  recordAll: writing(
    (session, entries: readonly Entry[], _isDurable: boolean) => recordAll(session, entries),
    (_, isDurable) => isDurable,
  ),
  settleJournal: writing((session, number: number) => keepNumber(session.sql, 'journal-settled', number)),
  tick: writing(tick),
  forceStable: writing(forceStable),
  markUnstable: writing(markUnstable),
  windows: reading(windows),
  observeAnnouncements: writing(observeAnnouncements, relaxed),
  changes: reading(changes),
  hideChanges: writing(hideChanges),
  changesAfter: reading(changesAfter),
  takeRelay: writing(takeRelay, relaxed),
  advanceRelay: writing(advanceRelay, relaxed),
  releaseRelay: writing(releaseRelay, relaxed),
  rewindRelay: writing(rewindRelay),
  relay: reading(relay),
  command: writing(command),
  find: reading(find),
  list: reading(list),
  related: reading(related),
  addedInstances: reading(addedInstances),
  findAll: reading(findAll),
  remove: writing(remove),
  statistics: reading(statistics),
  trash: reading(trash),
  forgetTrash: writing(forgetTrash, relaxed),
  orphans: reading(orphans),
  scripts: reading(scripts),
  scriptVersion: reading(scriptVersion),
  putScript: writing(putScript),
  parkScript: writing(parkScript),
  forgetScript: writing(forgetScript),
  suspendScript: writing(suspendScript),
  resumeScript: writing(resumeScript),
  pause: writing(pause),
  unpause: writing(unpause),
  pausedAll: reading(pausedAll),
  lease: writing(lease, relaxed),
  reclaimLeases: writing(reclaimLeases),
  renew: writing(renew, relaxed),
  settle: writing(settle, hasMemory),
  settleAll: writing(settleAll, (settlements: readonly Settlement[]) => settlements.some(hasMemory)),
  backlog: reading(backlog),
  deliveries: reading(deliveries),
  delivery: reading(delivery),
  retryDelivery: writing(retryDelivery),
  retryDead: writing(retryDead),
  dropDelivery: writing(dropDelivery),
  dropDead: writing(dropDead),
  runs: reading(runs),
  runsToReplay: reading(runsToReplay),
  run: reading(run),
  replayRuns: writing(replayRuns),
  replayRange: reading(replayRange),
  replaySince: writing(replaySince),
  runsSize: reading(runsSize),
  logSize: reading(logSize),
  stragglers: reading(stragglers),
  retireChanges: writing(retireChanges, relaxed),
  retireRuns: writing(retireRuns, relaxed),
  keyValue: reading(keyValue),
  keyValueBytes: reading(keyValueBytes),
  keyValueList: reading(keyValueList),
} as const satisfies Record<string, Operation>

/** What these see need not be the latest: they are asked again when there is more. */
const notLatest: readonly string[] = ['lease', 'renew', 'settle', 'settleAll']

/** Whether an operation has to find the rows of all that was accepted before it. */
export const needsLatest = (name: OperationName) => !notLatest.includes(name)

export type OperationName = keyof typeof operations
