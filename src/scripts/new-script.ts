/**
 * The text of a new script file, for a callback that its author chose.
 */
import { asksAmong, type CallbackName } from './callbacks.ts'

/** Name and type of what each callback is told; null: only the host. */
const told: Record<CallbackName, readonly [parameter: string, type: string] | null> = {
  initialize: null,
  finalize: null,
  onNewPatient: ['patient', 'NewPatient'],
  onNewStudy: ['study', 'NewStudy'],
  onNewSeries: ['series', 'NewSeries'],
  onStoredInstance: ['instance', 'StoredInstance'],
  onStablePatient: ['patient', 'StablePatient'],
  onStableStudy: ['study', 'StableStudy'],
  onStableSeries: ['series', 'StableSeries'],
  onDeletedPatient: ['patient', 'Deleted'],
  onDeletedStudy: ['study', 'Deleted'],
  onDeletedSeries: ['series', 'Deleted'],
  onDeletedInstance: ['instance', 'Deleted'],
  onHeartbeat: ['beat', 'Heartbeat'],
  onChange: ['change', 'Change'],
  receivedInstanceFilter: ['instance', 'ReceivedInstance'],
  receivedCStoreInstanceFilter: ['instance', 'ReceivedInstance'],
  incomingHttpRequestFilter: ['request', 'IncomingRequest'],
}

/** What a callback wants to be said in `script`. */
const settings: Partial<Record<CallbackName, string>> = { onHeartbeat: "\n  every: '5m'," }
const lines: Partial<Record<CallbackName, string>> = {
  receivedInstanceFilter: `\`\${instance.patientTags.PatientID} of \${instance.origin.remoteAet}\``,
  receivedCStoreInstanceFilter: `\`\${instance.patientTags.PatientID} of \${instance.origin.remoteAet}\``,
  incomingHttpRequestFilter: `\`\${request.method} \${request.path}\``,
  onHeartbeat: `\`Beat of \${beat.dueAt}, \${beat.missed} missed\``,
}

export function newScriptText(callback: CallbackName): string {
  const event = told[callback]
  const types = ['Host', 'Script', ...(event === null ? [] : [event[1]])].sort().join(', ')
  const parameters = `${event === null ? '' : `${event[0]}: ${event[1]}, `}host: Host`
  const line =
    lines[callback] ??
    (event === null
      ? `'${callback}'`
      : `\`\${${event[0]}.level} \${${event[0]}.id}: \${${event[0]}.change}\``)
  return `import type { ${types} } from 'onstable'

export const script: Script = {
  needs: { send: [], http: [] },${settings[callback] ?? ''}
}

export async function ${callback}(${parameters}) {
  host.log(${line})
${asksAmong([callback]).length === 0 ? '' : '  return true\n'}}
`
}
