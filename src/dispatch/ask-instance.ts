/** The question whether an instance is to be kept: what is told of it, and what its sender is told if it is not. */
import type { Header } from '../dicom/dicom.ts'
import { fault } from '../errors.ts'
import type { Origin } from '../store/store.ts'
import type { Asking, Verdict } from './ask.ts'

/** As Orthanc does: to its sender, an instance that was filtered out is dealt with. */
const success = 0x0000
/** Refused: not authorized (PS3.7, annex C). */
const notAuthorized = 0x0124

export interface InstanceQuestion {
  isAsked(origin: Origin): boolean
  /**
   * Null: it is to be kept. Else the DIMSE status that the sender is to be told.
   * @throws `filter-silent` if nobody has decided that it is not: its sender is to try again
   */
  ask(header: Header, sizeBytes: number, origin: Origin): Promise<{ readonly status: number } | null>
}

export function createInstanceQuestion({ isAsked, ask }: Pick<Asking, 'isAsked' | 'ask'>): InstanceQuestion {
  const comesByStore = ({ requestOrigin }: Origin) => requestOrigin === 'DicomProtocol'
  return {
    isAsked: (origin) =>
      isAsked('receivedInstanceFilter') || (comesByStore(origin) && isAsked('receivedCStoreInstanceFilter')),
    async ask(header, sizeBytes, origin) {
      const facts = factsOf(header, sizeBytes, origin)
      const subject = { instance: header.ids.instance, study: header.ids.study }
      const verdict = await ask('receivedInstanceFilter', facts, subject)
      if (refuses(verdict)) return { status: success }
      if (!comesByStore(origin)) return null
      return refusalOf(await ask('receivedCStoreInstanceFilter', facts, subject))
    },
  }
}

function refusalOf(verdict: Verdict): { readonly status: number } | null {
  return refuses(verdict) ? { status: verdict.status ?? notAuthorized } : null
}

function refuses({ accepted, isAnswer, script }: Verdict): boolean {
  if (!accepted && !isAnswer)
    throw fault('filter-silent', `The filter "${script}" gave no answer: send it again later`)
  return !accepted
}

function factsOf(header: Header, sizeBytes: number, origin: Origin): object {
  const { ids, tags, sopClassUid, transferSyntaxUid, hasPixelData } = header
  return {
    level: 'Instance',
    id: ids.instance,
    tags: tags.instance,
    seriesTags: tags.series,
    studyTags: tags.study,
    patientTags: tags.patient,
    parents: { patient: ids.patient, study: ids.study, series: ids.series },
    sopClassUid,
    transferSyntaxUid,
    hasPixelData,
    sizeBytes,
    origin,
  }
}
