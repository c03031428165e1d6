/**
 * Resources as Orthanc writes them in JSON.
 */
import { basename } from 'node:path'
import { orthancTime } from '../dicom/dicom.ts'
import { heldElsewhere, type ParentResource, type Resource } from '../store/store.ts'

export function formatResource(resource: Resource): Record<string, unknown> {
  const common = { ID: resource.id, MainDicomTags: resource.tags, Type: resource.level }
  if (resource.level === 'Instance') {
    const isElsewhere = resource.file === heldElsewhere
    const file = { FileSize: resource.sizeBytes, FileUuid: basename(resource.file) }
    return {
      ...(isElsewhere ? { IsHeldElsewhere: true } : file),
      IndexInSeries: resource.indexInSeries,
      ParentSeries: resource.parent,
      ...common,
    }
  }
  const stability = { IsStable: resource.isStable, LastUpdate: orthancTime(resource.updatedAtMs) }
  switch (resource.level) {
    case 'Patient':
      return { ...common, ...stability, Studies: resource.children }
    case 'Study':
      return {
        ...common,
        ...stability,
        ParentPatient: resource.parent,
        PatientMainDicomTags: resource.patientTags,
        Series: resource.children,
      }
    case 'Series':
      return {
        ...common,
        ...stability,
        ExpectedNumberOfInstances: resource.expectedInstances,
        Instances: resource.children,
        ParentStudy: resource.parent,
        Status: seriesStatus(resource),
      }
    default:
      return resource satisfies never
  }
}

/** Whether the series has the instances that it said it would have. */
export function seriesStatus({
  expectedInstances,
  indexes,
}: Pick<ParentResource, 'expectedInstances' | 'indexes'>):
  | 'Unknown'
  | 'Inconsistent'
  | 'Complete'
  | 'Missing' {
  if (expectedInstances === null) return 'Unknown'
  const seen = new Set<number>()
  for (const index of indexes) {
    if (index === null) return 'Unknown'
    if (index <= 0 || index > expectedInstances || seen.has(index)) return 'Inconsistent'
    seen.add(index)
  }
  return seen.size === expectedInstances ? 'Complete' : 'Missing'
}
