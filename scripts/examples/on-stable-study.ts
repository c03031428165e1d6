import type { Host, Script, StableStudy } from 'onstable'

export const script: Script = {
  needs: { send: ['PACS1'] },
  retry: { attempts: 8, backoff: 'exponential' },
  timeout: '5m',
}

/** Forwards every CT study. Needs a modality "PACS1" and the grant to send to it. */
export async function onStableStudy(study: StableStudy, host: Host) {
  if (!study.modalities.includes('CT')) return
  const { sent } = await host.send(study, 'PACS1')
  host.log(`Sent ${sent} instances of study ${study.id}`)
}
