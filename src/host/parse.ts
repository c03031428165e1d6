/**
 * From the text that came out of a sandbox to a call that can be looked at.
 */
import { fault } from '../errors.ts'
import type { HostCall } from '../runtime/runtime.ts'
import { hostCall, type ParsedHostCall } from './calls.ts'

/** @throws `bad-host-call`, naming the argument that is wrong */
export function parseCall({ name, argumentsJson }: HostCall): ParsedHostCall {
  const parsed = hostCall.safeParse({ ...argumentsOf(name, argumentsJson), name })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  if (issue.path[0] === 'name') throw fault('bad-host-call', `There is no host.${name}`)
  const place = issue.path.length === 0 ? '' : ` for "${issue.path.join('.')}"`
  throw fault('bad-host-call', `host.${name}: bad value${place}: ${issue.message}`)
}

function argumentsOf(name: string, json: string): object {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  throw fault('bad-host-call', `host.${name}: the arguments are not a JSON object`)
}
