/**
 * What there is to see from the outside: the REST interface, the rows of the database, the files of the
 * storage. Each is read here with code and SQL of its own.
 */
import { type DatabaseView, type RunRow, readDatabase } from './observe-database.ts'
import { readPostgres } from './observe-postgres.ts'
import { type RestView, readRest } from './observe-rest.ts'
import { readStorage, type StoredFile } from './observe-storage.ts'

export interface Observation {
  readonly rest: RestView
  readonly database: DatabaseView
  readonly files: readonly StoredFile[]
}

/**
 * @param url of the running server
 * @param data its data folder
 * @param earlierRuns what `readRuns` read before
 */
export async function observe(
  url: string,
  data: string,
  earlierRuns: readonly RunRow[] = [],
): Promise<Observation> {
  return { rest: await readRest(url), ...observeFolder(data, earlierRuns) }
}

/** What is seen of several servers through the first. @param store postgres://… */
export async function observeCluster(url: string, data: string, store: string): Promise<Observation> {
  return { rest: await readRest(url), database: await readPostgres(store), files: readStorage(data) }
}

/** Only what is in a data folder, which may be a copy. */
export function observeFolder(data: string, earlierRuns: readonly RunRow[] = []): Omit<Observation, 'rest'> {
  return { database: readDatabase(data, earlierRuns), files: readStorage(data) }
}
