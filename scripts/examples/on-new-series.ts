import type { Host, NewSeries } from 'onstable'

/** Counts series by modality. */
export async function onNewSeries(series: NewSeries, host: Host) {
  const key = `series of ${series.tags.Modality ?? 'unknown modality'}`
  await host.kv.set(key, Number(await host.kv.get(key)) + 1)
}
