/**
 * The scripts that are served while the server is killed, and what each is owed: `record` counts in its memory,
 * `report` has an effect outside, `reject` can never do some of what it is told, `hang` loops at first.
 */

export const recordScript = 'record.js'
export const reportScript = 'report.js'
export const rejectScript = 'reject.js'
export const hangScript = 'hang.js'

/** Which callback of each script is told of which changes. */
export const subscriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [recordScript]: {
    NewInstance: 'onStoredInstance',
    StableSeries: 'onStableSeries',
    StableStudy: 'onStableStudy',
    StablePatient: 'onStablePatient',
  },
  [reportScript]: { StableStudy: 'onStableStudy' },
  [rejectScript]: { StableSeries: 'onStableSeries' },
  [hangScript]: { StableSeries: 'onStableSeries' },
}

/** Whether every run of that change has to fail, so that its delivery ends as a dead one. */
export function isRejected(script: string, seq: number): boolean {
  return script === rejectScript && seq % 4 === 0
}

/** Text of each script by its file. @param receiver URL of the outside */
export function scriptTexts(receiver: string): Record<string, string> {
  return {
    [recordScript]: recordText,
    [reportScript]: reportText(receiver),
    [rejectScript]: rejectText,
    [hangScript]: hangText,
  }
}

/** Variables under which the scripts may do what they do. */
export function grantsFor(receiver: string): Record<string, string> {
  return { ONSTABLE_GRANTS: JSON.stringify({ [reportScript]: { http: [receiver] } }) }
}

/** Counts each call in its memory. One change in nine fails at first, after it has written. */
const recordText = `
export const script = { retry: { attempts: 100, backoff: 'fixed', delay: '50ms' }, timeout: '10s' }
async function count(event, host) {
  const key = event.change + ':' + event.id
  await host.kv.set(key, ((await host.kv.get(key)) ?? 0) + 1)
  if (event.seq % 9 === 0 && event.attempt === 1) throw new Error('Failed on purpose')
}
export { count as onStoredInstance, count as onStableSeries, count as onStableStudy, count as onStablePatient }
`

/** Reports each stable study. One change in five fails before its report, one in seven after it. */
function reportText(receiver: string): string {
  return `
export const script = {
  needs: { http: ['${receiver}'] },
  retry: { attempts: 100, backoff: 'fixed', delay: '50ms' }, timeout: '10s',
}
export async function onStableStudy(study, host) {
  if (study.seq % 5 === 0 && study.attempt === 1) throw new Error('Failed on purpose before')
  const { idempotencyKey, seq, id, revision, counts } = study
  const body = { key: idempotencyKey, seq, study: id, revision, instances: counts.instances }
  await host.http('${receiver}', { method: 'POST', body })
  if (seq % 7 === 0 && study.attempt === 1) throw new Error('Failed on purpose after')
}
`
}

const rejectText = `
export const script = { retry: { attempts: 3, backoff: 'fixed', delay: '20ms' }, timeout: '10s' }
export async function onStableSeries(series) {
  if (series.seq % 4 === 0) throw new Error('Fails always')
}
`

const hangText = `
export const script = { retry: { attempts: 100, backoff: 'fixed', delay: '50ms' }, timeout: '200ms' }
export async function onStableSeries(series) {
  if (series.seq % 5 === 0 && series.attempt === 1) for (;;);
}
`
