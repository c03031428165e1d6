import type { Deleted, Host } from 'onstable'

/** The event of a deletion says what the resource last was. */
export function onDeletedSeries(series: Deleted, host: Host) {
  host.log(`A series of ${series.tags.Modality ?? 'unknown modality'} is deleted`)
}
