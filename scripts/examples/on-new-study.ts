import type { Host, NewStudy } from 'onstable'

/** Says where a study began to come from. */
export function onNewStudy(study: NewStudy, host: Host) {
  const { remoteAet, remoteIp, requestOrigin } = study.origin
  host.log(`Study ${study.id} comes from ${remoteAet || requestOrigin} at ${remoteIp}`)
}
