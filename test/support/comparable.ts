/** Compares answers with those of Orthanc: what must differ is left out, keys and lists are put in one order. */

const variable = ['Date', 'LastUpdate', 'FileUuid', 'First']

/** Without what may differ, keys and lists in one order. An error may say more than Orthanc does. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .map(comparable)
      .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  const left = 'OrthancError' in value ? [...variable, 'Details'] : variable
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !left.includes(key))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, part]) => [key, comparable(part)]),
  )
}

/** Of two values made comparable, the first place that is not alike; null: there is none. */
export function firstDifference(ours: unknown, theirs: unknown, place: string): string | null {
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return null
  if (typeof ours === 'object' && typeof theirs === 'object' && ours !== null && theirs !== null) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      const parts = [ours, theirs].map((whole) => (whole as Record<string, unknown>)[key])
      const found = firstDifference(parts[0], parts[1], `${place}.${key}`)
      if (found !== null) return found
    }
  }
  return `${place} is ${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`
}
