import type { Deleted, Host } from 'onstable'

/** Counts deleted instances. */
export async function onDeletedInstance(_instance: Deleted, host: Host) {
  await host.kv.set('deleted instances', Number(await host.kv.get('deleted instances')) + 1)
}
