/**
 * From the text that came out of a sandbox to a call that can be looked at.
 */
import { fault } from '../errors.ts'
import type { HostCall } from '../runtime/runtime.ts'
import { hostCall, type ParsedHostCall } from './calls.ts'

/** Keys and texts of one call. More than this take the schema longer than anything else may wait. */
const mostTexts = 1_000
/** A message names what the script gave, however long that is. */
const longestMessage = 1_000

/** @throws `bad-host-call`, naming the argument that is wrong */
export function parseCall({ name, argumentsJson }: HostCall): ParsedHostCall {
  const parsed = hostCall.safeParse({ ...argumentsOf(name, argumentsJson), name })
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  if (issue.path[0] === 'name') throw fault('bad-host-call', `There is no host.${name}`)
  const place = issue.path.length === 0 ? '' : ` for "${issue.path.join('.')}"`
  throw refused(name, `bad value${place}: ${issue.message}`)
}

function refused(name: string, reason: string) {
  return fault('bad-host-call', `host.${name}: ${reason}`.slice(0, longestMessage))
}

function argumentsOf(name: string, json: string): object {
  if (hasMoreTexts(json, mostTexts)) throw refused(name, `more than ${mostTexts} keys and texts`)
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  throw refused(name, 'the arguments are not a JSON object')
}

/** Counted before anything is made of them; in a time that goes with the length of what is given, whatever it is. */
function hasMoreTexts(json: string, most: number): boolean {
  let count = 0
  for (let at = json.indexOf('"'); at >= 0; at = json.indexOf('"', at + 1)) {
    if (++count > most) return true
    at = endOfText(json, at + 1)
    if (at < 0) return false
  }
  return false
}

/** Where the quotation mark is that ends a text; -1: nowhere. */
function endOfText(json: string, from: number): number {
  for (let at = json.indexOf('"', from); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at
    while (json[before - 1] === '\\') before--
    if ((at - before) % 2 === 0) return at
  }
  return -1
}
