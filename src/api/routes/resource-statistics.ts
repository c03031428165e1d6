/** How many resources lie below one, and how much room their files take. */
import { type Level, levels } from '../../dicom/dicom.ts'
import type { Store } from '../../store/store.ts'
import { unknownResource } from '../errors.ts'

const countNames = { Patient: '', Study: 'CountStudies', Series: 'CountSeries', Instance: 'CountInstances' }
const instancesPerPage = 500

/** @throws `unknown-resource` */
export async function resourceStatistics(store: Store, level: Level, id: string): Promise<object> {
  const counts: Record<string, number> = {}
  let instances: readonly string[] = [id]
  for (const below of levels.slice(levels.indexOf(level) + 1)) {
    const ids = await store.related(level, id, below)
    if (ids === null) throw unknownResource()
    counts[countNames[below]] = ids.length
    instances = ids
  }
  const bytes = await totalBytes(store, instances)
  if (bytes === null) throw unknownResource()
  return {
    ...counts,
    ...sizes('DicomDisk', bytes),
    ...sizes('DicomUncompressed', bytes),
    ...sizes('Disk', bytes),
    ...sizes('Uncompressed', bytes),
  }
}

/** A size as Orthanc says it: bytes as text, and whole megabytes. */
export function sizes(name: string, bytes: number): Record<string, string | number> {
  return { [`${name}Size`]: String(bytes), [`${name}SizeMB`]: Math.floor(bytes / (1024 * 1024)) }
}

async function totalBytes(store: Store, ids: readonly string[]): Promise<number | null> {
  let bytes = 0
  let found = false
  for (let index = 0; index < ids.length; index += instancesPerPage) {
    for (const resource of await store.findAll('Instance', ids.slice(index, index + instancesPerPage))) {
      if (resource.level === 'Instance') bytes += resource.sizeBytes
      found = true
    }
  }
  return found ? bytes : null
}
