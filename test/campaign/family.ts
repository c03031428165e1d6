/** Who is whose: every resource that the clients sent something of, by what the files say. */
import type { History } from './history.ts'
import type { Ids, LevelName } from './identifiers.ts'

export interface Member {
  readonly level: LevelName
  /** Its own identifier and those above it; those below it are of some instance. */
  readonly ids: Ids
}

export const levelNames: readonly LevelName[] = ['Patient', 'Study', 'Series', 'Instance']

/** By identifier. */
export function familyOf({ uploads }: Pick<History, 'uploads'>): Map<string, Member> {
  return new Map(
    uploads.flatMap(({ ids }) => levelNames.map((level) => [ids[level], { level, ids }] as const)),
  )
}

/** The level that a type of change is about: the last word of its name. */
export function levelOfType(type: string): LevelName | undefined {
  return levelNames.find((level) => type.endsWith(level))
}

/** By what deliveries of its changes are kept in order. */
export function keyOf({ level, ids }: Member): string {
  return level === 'Patient' ? ids.Patient : ids.Study
}
