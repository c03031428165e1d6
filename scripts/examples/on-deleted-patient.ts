import type { Deleted, Host } from 'onstable'

/** Says that a patient is gone. */
export function onDeletedPatient(patient: Deleted, host: Host) {
  host.log(`Patient ${patient.id} is deleted`)
}
