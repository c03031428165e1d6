/** No file without a row, no row without its file, nothing half done left behind. */
import type { History } from '../history.ts'
import type { Observation } from '../observe.ts'

export function checkStorage(_: History, { database, files }: Observation): string[] {
  const violations: string[] = []
  const stored = new Map(files.map((file) => [file.file, file]))
  const named = new Set(database.instances.map(({ file }) => file))
  for (const { id, file, size } of database.instances) {
    const found = stored.get(file)
    if (found === undefined) violations.push(`Instance ${id} has a row, and its file "${file}" is missing`)
    else if (found.size !== size)
      violations.push(`File "${file}" has ${found.size} bytes, and its row says ${size}`)
  }
  for (const { file } of files) if (!named.has(file)) violations.push(`File "${file}" has no row`)
  if (named.size !== database.instances.length) violations.push('Two instances share a file')
  if (database.trash > 0) violations.push(`${database.trash} files wait to be unlinked`)
  if (database.integrity !== 'ok') violations.push(`The database is damaged: ${database.integrity}`)
  return violations
}
