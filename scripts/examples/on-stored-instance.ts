import type { Host, StoredInstance } from 'onstable'

const largeBytes = 100 * 1024 * 1024

/** Points out large instances. */
export function onStoredInstance(instance: StoredInstance, host: Host) {
  if (instance.sizeBytes > largeBytes) host.log(`Instance ${instance.id} has ${instance.sizeBytes} bytes`)
}
