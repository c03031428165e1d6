/** When a delivery ends without a run, and what is said of it. */
import type { ScriptInForce } from '../scripts/scripts.ts'
import type { Lease } from '../store/store.ts'

/** Null: it is to be run. */
export function reasonToSkip(lease: Lease, script: ScriptInForce): string | null {
  if (lease.event === null)
    return `The ${lease.resource?.level.toLowerCase()} was deleted before its turn came`
  if (!script.callbacks.some((name) => name === lease.callback)) {
    return `The version in force has no callback "${lease.callback}"`
  }
  return reasonOfLate(lease, script)
}

/** A script that ignores what is late is still told of the first revision that it can finish. */
function reasonOfLate({ late }: Lease, { manifest }: ScriptInForce): string | null {
  if (late === null || late.sinceRevision === 0) return null
  const before = `revision ${late.sinceRevision}`
  if (manifest.late === 'ignore')
    return `Revision ${late.revision} came after ${before}, and the script ignores what is late`
  const isSame = late.addedCount === 0 && late.removedCount === 0
  if (manifest.late === 'delta' && isSame) return `Nothing was added or removed since ${before}`
  return null
}
