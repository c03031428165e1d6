/** What the server wrote to its error output: JSON lines, one for each entry of its log. */

/** As pino numbers them. */
const errorLevel = 50

/** The messages of its errors; a line that a kill cut off is none. */
export function errorsIn(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    const entry = parsed(line)
    return entry !== null && (entry.level ?? 0) >= errorLevel ? [entry.msg ?? line] : []
  })
}

function parsed(line: string): { readonly level?: number; readonly msg?: string } | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
