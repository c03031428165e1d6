import type { Host, NewPatient } from 'onstable'

/** Counts patients, across restarts. */
export async function onNewPatient(_patient: NewPatient, host: Host) {
  const count = Number(await host.kv.get('patients')) + 1
  await host.kv.set('patients', count)
  host.log(`${count} patients so far`)
}
