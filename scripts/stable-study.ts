import type { Host, StableStudy } from 'onstable'

/** Says that a study is complete. Change the text and save: the next study is told the new way. */
export function onStableStudy(study: StableStudy, host: Host) {
  const { instances, series } = study.counts
  host.log(
    `Study ${study.id} is stable: ${instances} instances in ${series} series of ${study.modalities.join(', ')}`,
  )
}
