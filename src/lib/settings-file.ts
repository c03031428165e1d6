/** `onstable.json`, or the settings file that was named instead. */
import { readFileSync } from 'node:fs'
import { fault, isSystemError, messageOf } from '../errors.ts'

/**
 * @param given null: `onstable.json`, if there is one
 * @throws `bad-setting`
 */
export function readSettingsFile(given: string | null): { path: string; values: Record<string, unknown> } {
  const path = given ?? 'onstable.json'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (given === null && isSystemError(cause, 'ENOENT')) return { path, values: {} }
    throw fault('bad-setting', `Cannot read the settings file "${path}": ${messageOf(cause)}`, { cause })
  }
  let values: unknown
  try {
    values = JSON.parse(text)
  } catch (cause) {
    throw fault('bad-setting', `The settings file "${path}" is not JSON: ${messageOf(cause)}`, { cause })
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw fault(
      'bad-setting',
      `The settings file "${path}" is not a JSON object: expected { "setting": value }`,
    )
  }
  return { path, values: values as Record<string, unknown> }
}
