/** Objects as JSON, put together from members that are JSON already, such as the tags in a row. */

/** Name to JSON text. */
export type JsonParts = Readonly<Record<string, string>>

export function jsonObject(parts: JsonParts): string {
  let text = ''
  for (const name in parts) text += `${text === '' ? '{' : ','}"${name}":${parts[name]}`
  return text === '' ? '{}' : `${text}}`
}
