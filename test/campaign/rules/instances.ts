/** Every acknowledged instance is there, byte for byte, and nothing is there that was never sent. */
import { digestOf, type History, isAcknowledged, type Upload } from '../history.ts'
import type { Observation } from '../observe.ts'

export function checkInstances(history: History, { rest, database, files }: Observation): string[] {
  const violations: string[] = []
  const rows = new Map(database.instances.map((row) => [row.id, row]))
  const stored = new Map(files.map((file) => [file.file, file]))
  const sent = new Set(history.uploads.map(({ ids }) => ids.Instance))
  const compare = (upload: Upload, place: string, digests: { file: string; dataset: string }) => {
    const digest = upload.road === 'http' ? digests.file : digests.dataset
    if (digest !== digestOf(upload))
      violations.push(`Instance ${upload.ids.Instance} has other bytes in ${place}`)
  }
  for (const upload of history.uploads) {
    const id = upload.ids.Instance
    const deletion = deletionOf(history, upload)
    const [served, row] = [rest.instances.get(id), rows.get(id)]
    const file = row === undefined ? undefined : stored.get(row.file)
    if (deletion === 'gone') {
      if (served !== undefined || row !== undefined)
        violations.push(`Instance ${id} is there after its deletion`)
      continue
    }
    if (isAcknowledged(upload) && deletion === 'none') {
      if (row === undefined) violations.push(`Instance ${id} was acknowledged and has no row`)
      if (served === undefined) violations.push(`Instance ${id} was acknowledged and is not listed`)
    }
    if (served === null) violations.push(`Instance ${id} is listed and its file cannot be read`)
    if (served) compare(upload, 'the REST interface', served)
    if (file) compare(upload, 'the storage', { file: file.digest, dataset: file.dataset })
  }
  for (const id of new Set([...rest.instances.keys(), ...rows.keys()])) {
    if (!sent.has(id)) violations.push(`Instance ${id} is there and was never sent`)
  }
  return violations
}

/** What became of an instance by deletions: nothing, perhaps something, or it was deleted for certain. */
function deletionOf({ deletions }: History, { ids }: Upload): 'none' | 'perhaps' | 'gone' {
  const touching = deletions.filter((deletion) => deletion.ids.Study === ids.Study)
  if (touching.length === 0) return 'none'
  return touching.some(isAcknowledged) ? 'gone' : 'perhaps'
}
