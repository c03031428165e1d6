import type { Change, Host } from 'onstable'

/** Writes down every change of the archive. */
export function onChange(change: Change, host: Host) {
  host.log(`${change.seq}: ${change.change} of ${change.id}`)
}
