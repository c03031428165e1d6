/**
 * The callbacks that exist, and the changes of the log that each is told.
 */
import { type ChangeType, everyChange, type KeyChoice, type Subscription } from '../store/store.ts'

/** Callback to what it is told; the two without changes are called by the runtime itself. */
export const callbacks = {
  initialize: {
    changes: [],
    tells: 'A version of the script has been loaded, on every isolate that runs it',
  },
  finalize: { changes: [], tells: 'The isolate is about to go; best effort' },
  onNewPatient: { changes: ['NewPatient'], tells: 'The first instance of a patient is stored' },
  onNewStudy: { changes: ['NewStudy'], tells: 'The first instance of a study is stored' },
  onNewSeries: { changes: ['NewSeries'], tells: 'The first instance of a series is stored' },
  onStoredInstance: { changes: ['NewInstance'], tells: 'An instance is stored' },
  onStablePatient: { changes: ['StablePatient'], tells: 'No instance of a patient came for its stable age' },
  onStableStudy: { changes: ['StableStudy'], tells: 'No instance of a study came for its stable age' },
  onStableSeries: { changes: ['StableSeries'], tells: 'No instance of a series came for its stable age' },
  onDeletedPatient: { changes: ['DeletedPatient'], tells: 'A patient is deleted' },
  onDeletedStudy: { changes: ['DeletedStudy'], tells: 'A study is deleted' },
  onDeletedSeries: { changes: ['DeletedSeries'], tells: 'A series is deleted' },
  onDeletedInstance: { changes: ['DeletedInstance'], tells: 'An instance is deleted' },
  onHeartbeat: { changes: [], tells: 'The time that `script.every` says has passed' },
  onChange: { changes: everyChange, tells: 'Any of the above, and CompletedSeries' },
} as const satisfies Record<string, { changes: readonly ChangeType[]; tells: string }>

export type CallbackName = keyof typeof callbacks

export function isCallback(name: string): name is CallbackName {
  return Object.hasOwn(callbacks, name)
}

/** Which changes a script with these callbacks is told, by which of them, and in which order. */
export function subscriptionsOf(names: readonly CallbackName[], key: KeyChoice = 'study'): Subscription[] {
  return names.flatMap((callback) => callbacks[callback].changes.map((type) => ({ type, callback, key })))
}
