import type { Host, NewStudy } from 'onstable'

const departments = new Map<string, string>()

/** Runs once for every copy of this script that is loaded, before its first event. */
export function initialize(host: Host) {
  departments.set('CT1', 'Emergency').set('MR1', 'Neurology')
  host.log(`Knows ${departments.size} departments`)
}

export function onNewStudy(study: NewStudy, host: Host) {
  host.log(`Study ${study.id} is of ${departments.get(study.origin.remoteAet) ?? 'no known department'}`)
}
