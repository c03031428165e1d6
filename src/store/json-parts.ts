/** Objects as JSON, put together from members that are JSON already, such as the tags in a row. */

/** Name to JSON text. */
export type JsonParts = Readonly<Record<string, string>>

/** The members of two objects, neither of them empty, in one. */
export function jsonJoined(first: string, second: string): string {
  return `${first.slice(0, -1)},${second.slice(1)}`
}

export function jsonObject(parts: JsonParts): string {
  let text = ''
  for (const name in parts) text += `${text === '' ? '{' : ','}"${name}":${parts[name]}`
  return text === '' ? '{}' : `${text}}`
}

/** As events tell times. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
