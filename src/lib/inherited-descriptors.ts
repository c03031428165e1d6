/**
 * Closes what whoever started this process left open in it. What Node opens is closed when another program is started;
 * what came from outside is not, and would be open in the sandbox.
 */
import { closeSync, readdirSync } from 'node:fs'
import { textOfFile } from './text-of-file.ts'

/** O_CLOEXEC of Linux. */
const closedOnExec = 0o2000000

/** To be called first of all. Where there is no /proc, nothing happens. */
export function closeInheritedDescriptors(): void {
  // A parent that is Node may have a channel here, which is no file of anybody.
  if (process.channel !== undefined) return
  for (const name of namesIn('/proc/self/fdinfo')) {
    const descriptor = Number(name)
    const flags = /^flags:\s*0?([0-7]+)$/m.exec(textOfFile(`/proc/self/fdinfo/${name}`))?.[1]
    if (descriptor <= 2 || flags === undefined || (Number.parseInt(flags, 8) & closedOnExec) !== 0) continue
    try {
      closeSync(descriptor)
    } catch {
      // It was that of the list itself.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
