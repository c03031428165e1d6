import type { Host, Script, StableSeries } from 'onstable'

export const script: Script = {
  needs: { http: ['https://ris.example.org/arrivals/'] },
}

/** Announces a series to another system, which can tell a repeated announcement by its idempotency key. */
export async function onStableSeries(series: StableSeries, host: Host) {
  const body = { series: series.id, instances: series.counts.instances, revision: series.revision }
  const response = await host.http('https://ris.example.org/arrivals/series', { method: 'POST', body })
  if (!response.ok) throw new Error(`The RIS answered with status ${response.status}`)
}
