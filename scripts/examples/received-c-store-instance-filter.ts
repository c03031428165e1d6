import type { ReceivedInstance } from 'onstable'

/** Tells the sender by C-STORE that structured reports are not taken: 0x0122 is "SOP class not supported". */
export function receivedCStoreInstanceFilter(instance: ReceivedInstance): number {
  return instance.sopClassUid.startsWith('1.2.840.10008.5.1.4.1.1.88.') ? 0x0122 : 0
}
