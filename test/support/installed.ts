/** Programs and files that tests use where they are found; where not, one line says what is left out. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whether all of them are on the path, or there, if given by their own. */
export function areInstalled(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !isInstalled(program))
  return missing.length === 0 || leaveOut(`${missing.join(' and ')} not found`)
}

/** Whether there is such a file or folder. */
export function isThere(path: string): boolean {
  return existsSync(path) || leaveOut(`${path} not found`)
}

function isInstalled(program: string): boolean {
  const places = program.startsWith('/') ? [''] : (process.env.PATH ?? '').split(delimiter)
  return places.some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Says why tests are skipped. */
export function leaveOut(reason: string): false {
  console.warn(`Some tests are skipped: ${reason}`)
  return false
}
