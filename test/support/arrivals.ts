/** Makes arrivals for tests of the store: instances that exist only as rows. */
import { orthancIdentifiers } from '../../src/dicom/dicom.ts'
import type { Age, Arrival, Origin } from '../../src/store/store.ts'

export const restOrigin: Origin = {
  requestOrigin: 'RestApi',
  remoteIp: '127.0.0.1',
  remoteAet: '',
  calledAet: '',
  username: '',
}

interface Facts {
  patient?: string
  study?: string
  series?: string
  instance: string
  modality?: string
  place?: number
  expected?: number
  age?: Partial<Record<'Patient' | 'Study' | 'Series', Age>>
  ageMs?: number
  maxWaitMs?: number
  origin?: Origin
  whenHeld?: Arrival['whenHeld']
  content?: Arrival['content']
}

/** An arrival of instance `instance`; what is not said is the same every time. Ages default to 1,000 ms. */
export function arrivalOf(facts: Facts): Arrival {
  const { patient = 'P', study = 'S', series = 'A', modality = 'CT' } = facts
  const general: Age = { ageMs: facts.ageMs ?? 1_000, maxWaitMs: facts.maxWaitMs ?? null }
  const uids = {
    study: `1.${study}`,
    series: `1.${study}.${series}`,
    instance: `1.${study}.${series}.${facts.instance}`,
  }
  return {
    header: {
      ids: orthancIdentifiers({
        patientId: patient,
        studyInstanceUid: uids.study,
        seriesInstanceUid: uids.series,
        sopInstanceUid: uids.instance,
      }),
      tags: {
        patient: { PatientID: patient },
        study: { StudyInstanceUID: uids.study },
        series: { SeriesInstanceUID: uids.series, Modality: modality },
        instance: { SOPInstanceUID: uids.instance },
      },
      sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUid: uids.instance,
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      indexInSeries: facts.place ?? null,
      expectedInstances: facts.expected ?? null,
      hasPixelData: false,
    },
    file: `00000001/${uids.instance}-${Math.random()}`,
    sizeBytes: 100,
    content: facts.content ?? null,
    origin: facts.origin ?? restOrigin,
    ages: { Patient: general, Study: general, Series: general, ...facts.age },
    whenHeld: facts.whenHeld ?? 'keep',
  }
}
