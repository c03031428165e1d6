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
  receivedInstanceFilter: {
    changes: [],
    asks: true,
    tells: 'Asked before an instance is kept: `true` keeps it, `false` does not',
  },
  receivedCStoreInstanceFilter: {
    changes: [],
    asks: true,
    tells:
      'The same, of C-STORE only: `true` or 0 keeps it; a DIMSE status is what the sender is told instead',
  },
  incomingHttpRequestFilter: {
    changes: [],
    asks: true,
    tells: 'Asked before a request of the REST interface is answered: `false` refuses it with 403',
  },
} as const satisfies Record<string, { changes: readonly ChangeType[]; asks?: true; tells: string }>

export type CallbackName = keyof typeof callbacks

/** The callbacks that are questions, not events. */
export const askNames = [
  'receivedInstanceFilter',
  'receivedCStoreInstanceFilter',
  'incomingHttpRequestFilter',
] as const satisfies readonly CallbackName[]
export type AskName = (typeof askNames)[number]

export function asksAmong(names: readonly CallbackName[]): AskName[] {
  return askNames.filter((name) => names.includes(name))
}

export function isCallback(name: string): name is CallbackName {
  return Object.hasOwn(callbacks, name)
}

/** Which changes a script with these callbacks is told, by which of them, and in which order. */
export function subscriptionsOf(names: readonly CallbackName[], key: KeyChoice = 'study'): Subscription[] {
  return names.flatMap((callback) => callbacks[callback].changes.map((type) => ({ type, callback, key })))
}
