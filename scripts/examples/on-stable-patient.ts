import type { Host, StablePatient } from 'onstable'

/** Says how much there is of a patient, and what is new. */
export function onStablePatient(patient: StablePatient, host: Host) {
  const { counts, added } = patient
  host.log(`Patient ${patient.id} has ${counts.studies} studies; ${added.instanceCount} instances are new`)
}
