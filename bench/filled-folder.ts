/**
 * Data folders that hold many instances already, written by the operations of the store itself: rows as a server would
 * have made them, of files that are nowhere. Nothing reads those while it is measured.
 */
import { join } from 'node:path'
import { type Header, orthancIdentifiers, readHeader } from '../src/dicom/dicom.ts'
import { connectHere } from '../src/store/sqlite/connection.ts'
import type { Entry } from '../src/store/sqlite/record-all.ts'
import { restOrigin } from '../test/support/arrivals.ts'
import { makeSamples } from './samples.ts'
import { makeFolder } from './server-process.ts'

export interface Filling {
  readonly instances: number
  readonly perSeries: number
  readonly seriesPerStudy: number
  /** Instances arrived so long ago; those from the first on, and those from there on. */
  readonly arrivedMsAgo: readonly { readonly from: number; readonly ms: number }[]
  readonly ageMs: number
  /** Whether all have become stable; else their windows are open. */
  readonly isStable: boolean
  /** A script that is owed all of them, and paused. */
  readonly owedTo: string | null
}

/** As scanners send. */
export const usualFilling = { perSeries: 200, seriesPerStudy: 5 } as const

const perTransaction = 500

/** @returns the folder; it is removed at the end of this process */
export async function fillFolder(filling: Filling): Promise<string> {
  const folder = makeFolder('filled')
  const nowMs = Date.now()
  let clockMs = nowMs - Math.max(...filling.arrivedMsAgo.map(({ ms }) => ms))
  const options = { file: join(folder, 'index.sqlite'), readonly: false, crashAt: null }
  const database = connectHere(options, () => clockMs)
  if (filling.owedTo !== null) {
    const version = { hash: 'never-in-force', code: '', sourceMap: '' }
    const subscriptions = [{ type: 'NewInstance', callback: 'onStoredInstance' }]
    await database.request('putScript', [filling.owedTo, version, subscriptions, null])
    await database.request('pause', [filling.owedTo])
  }
  const sample = sampleHeader()
  for (let first = 0; first < filling.instances; first += perTransaction) {
    const count = Math.min(perTransaction, filling.instances - first)
    const since = filling.arrivedMsAgo.findLast(({ from }) => from <= first) ?? filling.arrivedMsAgo[0]!
    clockMs = Math.max(clockMs, nowMs - since.ms)
    const entries = Array.from({ length: count }, (_, at) => entryOf(sample, filling, first + at, clockMs))
    await database.request('recordAll', [entries, false])
  }
  await database.request('settleJournal', [filling.instances])
  if (filling.isStable) {
    for (let isOver = false; !isOver; ) {
      clockMs += 1_000
      const { nextCheckInMs } = (await database.request('tick', [clockMs])) as {
        nextCheckInMs: number | null
      }
      isOver = nextCheckInMs === null
    }
  }
  await database.close()
  return folder
}

/** With all the tags that the index keeps, as of an uploaded file. */
export function sampleHeader(): Header {
  const [sample] = makeSamples({ size: '6 KB', instances: 1, studies: 1, seriesPerStudy: 1, run: 1 })
  return readHeader(sample!.file)
}

export function entryOf(
  sample: Header,
  { perSeries, seriesPerStudy, ageMs }: Pick<Filling, 'perSeries' | 'seriesPerStudy' | 'ageMs'>,
  at: number,
  atMs: number,
): Entry {
  const series = Math.floor(at / perSeries)
  const study = Math.floor(series / seriesPerStudy)
  const uids = {
    patientId: `FILLED-${study}`,
    studyInstanceUid: `1.2.826.0.1.3680043.10.1357.7.${study}`,
    seriesInstanceUid: `1.2.826.0.1.3680043.10.1357.7.${study}.${series}`,
    sopInstanceUid: `1.2.826.0.1.3680043.10.1357.7.${study}.${series}.${at}`,
  }
  const { patient, study: ofStudy, series: ofSeries, instance } = sample.tags
  const header: Header = {
    ...sample,
    sopInstanceUid: uids.sopInstanceUid,
    ids: orthancIdentifiers(uids),
    tags: {
      patient: { ...patient, PatientID: uids.patientId },
      study: { ...ofStudy, StudyInstanceUID: uids.studyInstanceUid },
      series: { ...ofSeries, SeriesInstanceUID: uids.seriesInstanceUid },
      instance: { ...instance, SOPInstanceUID: uids.sopInstanceUid, InstanceNumber: String(at) },
    },
  }
  const age = { ageMs, maxWaitMs: null }
  const arrival = {
    header,
    file: `00000001/${uids.sopInstanceUid}`,
    sizeBytes: 6_000,
    origin: restOrigin,
    ages: { Patient: age, Study: age, Series: age },
    whenHeld: 'keep',
  }
  return { arrivalJson: JSON.stringify(arrival), content: null, number: at + 1, atMs, isOwed: false }
}
