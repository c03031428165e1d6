import type { Heartbeat, Host, Script } from 'onstable'

export const script: Script = { every: '5m' }

/** Says what the archive holds, every five minutes. */
export async function onHeartbeat(beat: Heartbeat, host: Host) {
  const { CountStudies } = (await host.get('/statistics')) as { CountStudies: number }
  host.log(`${CountStudies} studies at ${beat.at}; ${beat.missed} beats were missed`)
}
