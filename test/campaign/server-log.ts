/** What the server wrote to its error output: JSON lines, one for each entry of its log. */

/** As pino numbers them. */
const errorLevel = 50

interface Entry {
  readonly level?: number
  readonly msg?: string
  readonly time?: string
}

/** The messages of its errors; a line that a kill cut off is none. */
export function errorsIn(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    const entry = parsed(line)
    return entry !== null && (entry.level ?? 0) >= errorLevel ? [entry.msg ?? line] : []
  })
}

/** When child processes ended, killed by the server itself or not: their runs were begun again. */
export function childEndsIn(log: string): number[] {
  return log.split('\n').flatMap((line) => {
    const entry = parsed(line)
    const isEnd = entry?.msg?.startsWith('A child process of the sandbox died') === true
    return isEnd ? [Date.parse(entry?.time ?? '')] : []
  })
}

function parsed(line: string): Entry | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
