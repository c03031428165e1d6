/** The text of files that may be gone at any time, such as those that tell of processes. */
import { readFileSync } from 'node:fs'

/** Empty if it cannot be read; a character for each byte. */
export function textOfFile(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
