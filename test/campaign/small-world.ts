/** What there is to see of a server that did everything right after the small history; a test breaks one thing. */
import { dicomDataset, dicomFile } from '../support/dicom-files.ts'
import { type History, sha256, type Upload } from './history.ts'
import type { Observation } from './observe.ts'
import type { ChangeRow, DatabaseView, DeliveryRow, ResourceRow, RunRow } from './observe-database.ts'
import { isRejected, recordScript, reportScript, subscriptions } from './scripts.ts'
import { type SmallUploads, smallHistory, smallLog, smallUploads } from './small-history.ts'

type Mutable<T> = T extends Uint8Array
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Mutable<V>>
    : { -readonly [Key in keyof T]: Mutable<T[Key]> }

export interface SmallWorld {
  readonly uploads: Mutable<SmallUploads>
  readonly history: Mutable<History>
  readonly seen: Mutable<Observation>
}

export function makeSmallWorld(): SmallWorld {
  const uploads = smallUploads()
  const changes = smallLog(uploads)
  const { a, b, c, e } = uploads
  const there = [a, b, c, e]
  const seen: Observation = {
    rest: {
      instances: new Map(there.map((upload) => [upload.ids.Instance, digestsOf(upload)])),
      parents: new Map([a.ids.Patient, a.ids.Study, a.ids.Series, b.ids.Series].map((id) => [id, true])),
      changes: changes.filter(({ type }) => !type.startsWith('Deleted')),
    },
    database: databaseOf(uploads, there, changes),
    files: there.map((upload) => {
      const { file, dataset } = digestsOf(upload)
      return { file: fileOf(upload), size: dicomFile(upload.facts).length, digest: file, dataset }
    }),
  }
  return structuredClone({ uploads, history: smallHistory(uploads, changes), seen }) as SmallWorld
}

/** Makes the scripts, their runs and their memory those of the log as it is now. */
export function tellAgain({ seen: { rest, database } }: SmallWorld): void {
  const changes = database.changes.map((change, index) => ({ ...change, seq: index + 1 }))
  Object.assign(database, { changes, ...toldOf(changes) })
  rest.changes = changes.filter(({ type }) => !type.startsWith('Deleted'))
}

const fileOf = ({ ids }: Upload) => `00000001/${ids.Instance}`

function digestsOf({ facts }: Upload) {
  return { file: sha256(dicomFile(facts)), dataset: sha256(dicomDataset(facts)) }
}

function databaseOf(
  { a, b }: SmallUploads,
  there: readonly Upload[],
  changes: readonly ChangeRow[],
): DatabaseView {
  const { Patient, Study, Series } = a.ids
  return {
    changes,
    ...toldOf(changes),
    instances: there.map((upload) => ({
      id: upload.ids.Instance,
      file: fileOf(upload),
      size: dicomFile(upload.facts).length,
      receivedAt: 0,
      series: upload.ids.Series,
    })),
    resources: [
      resource(1, 'Patient', Patient, null, 2, 0),
      resource(2, 'Study', Study, Patient, 2, 0),
      resource(3, 'Series', Series, Study, 2, 3),
      resource(4, 'Series', b.ids.Series, Study, 1, 1),
    ],
    openWindows: 0,
    trash: 0,
    integrity: 'ok',
    danglingRows: 0,
  }
}

function toldOf(changes: readonly ChangeRow[]) {
  return {
    lastSeq: changes.length,
    runs: runsOf(changes),
    deliveries: owedOf(changes)
      .filter(({ script, seq }) => isRejected(script, seq))
      .map((delivery): DeliveryRow => ({ ...delivery, state: 'dead' })),
    scripts: Object.keys(subscriptions).map((name) => ({ name, cursor: changes.length })),
    keyValues: keyValuesOf(changes),
  }
}

function resource(
  row: number,
  level: string,
  id: string,
  parent: string | null,
  revision: number,
  instances: number,
): ResourceRow {
  return { row, level, id, parent, revision, instances }
}

function owedOf(changes: readonly ChangeRow[]) {
  return Object.entries(subscriptions).flatMap(([script, callbacks]) =>
    changes.flatMap(({ seq, type, id }) => {
      const callback = callbacks[type]
      return callback === undefined ? [] : [{ script, callback, seq, id }]
    }),
  )
}

/** The first report fails once, one is skipped because of the deletion, and some changes are rejected. */
function runsOf(changes: readonly ChangeRow[]): RunRow[] {
  const first = changes.find(({ type }) => type === 'StableStudy')?.seq
  const deleted = changes.filter(({ type }) => type === 'DeletedStudy').map(({ id }) => id)
  const outcomesOf = (script: string, seq: number, id: string) => {
    if (isRejected(script, seq)) return ['threw', 'threw', 'threw']
    if (script !== reportScript) return ['ok']
    if (deleted.includes(id)) return ['skipped']
    return seq === first ? ['threw', 'ok'] : ['ok']
  }
  return owedOf(changes)
    .flatMap(({ id, ...delivery }) =>
      outcomesOf(delivery.script, delivery.seq, id).map((outcome) => ({ ...delivery, outcome })),
    )
    .map((run, index) => ({ ...run, order: index + 1, endedAt: 0 }))
}

function keyValuesOf(changes: readonly ChangeRow[]): DatabaseView['keyValues'] {
  const told = changes.filter(({ type }) => type in subscriptions[recordScript]!)
  const counts = Map.groupBy(told, ({ type, id }) => `${type}:${id}`)
  return [...counts].map(([key, changesOfKey]) => ({ script: recordScript, key, value: changesOfKey.length }))
}
