/**
 * The stable age and the longest wait of each level, by the rules in the settings.
 */

import type { Settings } from '../config.ts'
import type { Header, ParentLevel } from '../dicom/dicom.ts'
import type { Age, Ages, Origin } from '../store/store.ts'

type AgeSettings = Pick<Settings, 'stableAge' | 'maxWait' | 'stability'>

export interface AgeRules {
  /** The ages that one arrival gives its series, study and patient. */
  agesOf(header: Header, origin: Origin): Ages
  /** The age of a level when no rule about senders or modalities is asked. */
  ageOf(level: ParentLevel): Age
}

/**
 * Of all rules that match an arrival the longest age counts, and the shortest wait: a rule for its level,
 * modality or sender takes the place of the general age.
 */
export function createAges(settings: AgeSettings): AgeRules {
  const ageFor = (level: ParentLevel, facts: { modality: string; remoteAet: string } | null): Age => {
    const matching = settings.stability.filter(
      (rule) =>
        (rule.level === undefined || rule.level === level.toLowerCase()) &&
        (rule.modality === undefined || rule.modality === facts?.modality) &&
        (rule.remoteAet === undefined || rule.remoteAet === facts?.remoteAet),
    )
    const ages = matching.flatMap(({ stableAge }) => stableAge ?? [])
    const waits = matching.flatMap(({ maxWait }) => maxWait ?? [])
    const maxWait = waits.length > 0 ? Math.min(...waits) : settings.maxWait
    return {
      ageMs: Math.round((ages.length > 0 ? Math.max(...ages) : settings.stableAge) * 1_000),
      maxWaitMs: maxWait === undefined ? null : Math.round(maxWait * 1_000),
    }
  }
  return {
    agesOf(header, origin) {
      const facts = { modality: header.tags.series.Modality ?? '', remoteAet: origin.remoteAet }
      return {
        Patient: ageFor('Patient', facts),
        Study: ageFor('Study', facts),
        Series: ageFor('Series', facts),
      }
    },
    ageOf: (level) => ageFor(level, null),
  }
}
