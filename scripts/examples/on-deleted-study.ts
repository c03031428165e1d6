import type { Deleted, Host } from 'onstable'

/** Forgets what the script remembered of a study. */
export async function onDeletedStudy(study: Deleted, host: Host) {
  await host.kv.delete(`seen ${study.id}`)
}
