import type { Host, StableStudy } from 'onstable'

let told = 0

export function onStableStudy(_study: StableStudy) {
  told++
}

/** Runs, if it can, before this copy of the script goes. What has to survive belongs into `host.kv`. */
export function finalize(host: Host) {
  host.log(`This copy was told of ${told} studies`)
}
