/** The scripts that are served while the server is killed. */

export const recordScript = 'record.js'
export const reportScript = 'report.js'

/** What `record` counts. */
export const recordedTypes: readonly string[] = [
  'NewInstance',
  'StableSeries',
  'StableStudy',
  'StablePatient',
]

/** Counts each call in its memory. One change in nine fails at first, after it has written. */
export const recordText = `
export const script = { retry: { attempts: 100, backoff: 'fixed', delay: '50ms' }, timeout: '10s' }
async function count(event, host) {
  const key = event.change + ':' + event.id
  await host.kv.set(key, ((await host.kv.get(key)) ?? 0) + 1)
  if (event.seq % 9 === 0 && event.attempt === 1) throw new Error('Failed on purpose')
}
export { count as onStoredInstance, count as onStableSeries, count as onStableStudy, count as onStablePatient }
`

/** Reports each stable study to a receiver. One change in five fails before its report, one in seven after it. */
export function reportText(receiver: string): string {
  return `
export const script = {
  needs: { http: ['${receiver}'] },
  retry: { attempts: 100, backoff: 'fixed', delay: '50ms' }, timeout: '10s',
}
export async function onStableStudy(study, host) {
  if (study.seq % 5 === 0 && study.attempt === 1) throw new Error('Failed on purpose before')
  const body = { key: study.idempotencyKey, seq: study.seq, study: study.id }
  await host.http('${receiver}', { method: 'POST', body })
  if (study.seq % 7 === 0 && study.attempt === 1) throw new Error('Failed on purpose after')
}
`
}

/** Variables under which both scripts may do what they do. */
export function grantsFor(receiver: string): Record<string, string> {
  return { ONSTABLE_GRANTS: JSON.stringify({ [reportScript]: { http: [receiver] } }) }
}
