/**
 * A small history, made by hand: two studies of a patient, a kill under a request, a late instance, a deletion.
 * And the log of a server that did everything right.
 */
import type { FileFacts } from '../support/dicom-files.ts'
import { familyOf, keyOf } from './family.ts'
import { type Attempt, type Effect, type History, newDeletion, newUpload, type Upload } from './history.ts'
import type { ChangeRow } from './observe-database.ts'
import { reportScript } from './scripts.ts'

/** `a` and `b` came first, `c` was cut off by the kill, `d` was deleted, `e` came late. */
export type SmallUploads = Readonly<Record<'a' | 'b' | 'c' | 'd' | 'e', Upload>>

export function smallUploads(): SmallUploads {
  return {
    a: upload({ study: 'S1', series: 'A', instance: '1' }, 'http', [600, 610, 'Success']),
    b: upload({ study: 'S1', series: 'B', instance: '2' }, 'dicom', [600, 620, 'stored']),
    c: upload(
      { study: 'S1', series: 'A', instance: '3' },
      'http',
      [1_490, 1_500, null],
      [2_050, 2_060, 'AlreadyStored'],
    ),
    d: upload({ study: 'D1', series: 'A', instance: '4' }, 'http', [610, 615, 'Success']),
    e: upload({ study: 'S1', series: 'A', instance: '5' }, 'http', [6_000, 6_005, 'Success']),
  }
}

export function smallHistory(uploads: SmallUploads, changes: readonly ChangeRow[]): History {
  const deletion = newDeletion(uploads.d.ids)
  deletion.attempts.push({ sentAtMs: 3_950, endedAtMs: 3_960, answer: '200' })
  return {
    agesMs: { Patient: 1_000, Study: 1_000, Series: 1_000 },
    uploads: Object.values(uploads),
    deletions: [deletion],
    effects: effectsOf(uploads.a.ids.Study, changes),
    ...{ surprises: [], stops: [], outages: [], cuts: [], hasOthers: false, childEndsMs: [], troubles: [] },
    lives: [
      { spawnedAtMs: 0, readyAtMs: 500, endedAtMs: 1_500 },
      { spawnedAtMs: 1_500, readyAtMs: 2_000, endedAtMs: 9_000 },
    ],
  }
}

export function smallLog(uploads: SmallUploads): ChangeRow[] {
  const { a, b, c, d, e } = uploads
  const family = familyOf({ uploads: Object.values(uploads) })
  const rows: readonly [at: number, type: string, id: string][] = [
    [605, 'NewInstance', a.ids.Instance],
    [605, 'NewSeries', a.ids.Series],
    [605, 'NewStudy', a.ids.Study],
    [605, 'NewPatient', a.ids.Patient],
    [610, 'NewInstance', b.ids.Instance],
    [610, 'NewSeries', b.ids.Series],
    [612, 'NewInstance', d.ids.Instance],
    [612, 'NewSeries', d.ids.Series],
    [612, 'NewStudy', d.ids.Study],
    [1_495, 'NewInstance', c.ids.Instance],
    [3_000, 'StableSeries', a.ids.Series],
    [3_000, 'StableSeries', b.ids.Series],
    [3_000, 'StableSeries', d.ids.Series],
    [3_000, 'StableStudy', a.ids.Study],
    [3_000, 'StableStudy', d.ids.Study],
    [3_000, 'StablePatient', a.ids.Patient],
    [3_955, 'DeletedInstance', d.ids.Instance],
    [3_955, 'DeletedSeries', d.ids.Series],
    [3_955, 'DeletedStudy', d.ids.Study],
    [6_003, 'NewInstance', e.ids.Instance],
    [7_010, 'StableSeries', a.ids.Series],
    [7_010, 'StableStudy', a.ids.Study],
    [7_010, 'StablePatient', a.ids.Patient],
  ]
  return rows.map(([at, type, id], index) => {
    return { seq: index + 1, type, id, at, key: keyOf(family.get(id)!), resource: 0, trigger: null }
  })
}

/** The first report failed after its effect and was made again; the deleted study had none. */
function effectsOf(study: string, changes: readonly ChangeRow[]): Effect[] {
  const [first, second] = changes.filter(({ type, id }) => type === 'StableStudy' && id === study)
  return [effectOf(first!, 1, 3, 3_050), effectOf(first!, 1, 3, 3_100), effectOf(second!, 2, 4, 7_050)]
}

function effectOf({ seq, id }: ChangeRow, revision: number, instances: number, receivedAtMs: number): Effect {
  const key = `epoch-${seq}:${reportScript}:onStableStudy`
  return { receivedAtMs, header: key, key, seq, study: id, revision, instances }
}

type ShortAttempt = readonly [sentAtMs: number, endedAtMs: number, answer: string | null]

function upload(facts: FileFacts, road: Upload['road'], ...attempts: readonly ShortAttempt[]): Upload {
  const made = newUpload(facts, road)
  made.attempts.push(
    ...attempts.map(([sentAtMs, endedAtMs, answer]): Attempt => ({ sentAtMs, endedAtMs, answer })),
  )
  return made
}
