import type { AskHost, ReceivedInstance, Script } from 'onstable'

export const script: Script = { ask: { timeout: '50ms', onFailure: 'accept' } }

/** Keeps out what test phantoms leave behind. */
export function receivedInstanceFilter(instance: ReceivedInstance, host: AskHost): boolean {
  const isPhantom = instance.patientTags.PatientName?.startsWith('PHANTOM') ?? false
  if (isPhantom) host.log(`${instance.id} of ${instance.origin.remoteAet} is of a phantom`)
  return !isPhantom
}
