/** Reads through the REST interface what a client can know. */
import { datasetOf, sha256 } from './history.ts'

export interface RestChange {
  readonly seq: number
  readonly type: string
  readonly id: string
}

export interface RestView {
  /** Identifier to the digests of the file and of its data set; null if the file cannot be read. */
  readonly instances: ReadonlyMap<string, { readonly file: string; readonly dataset: string } | null>
  /** Patients, studies and series with their `IsStable`. */
  readonly parents: ReadonlyMap<string, boolean>
  readonly changes: readonly RestChange[]
}

export async function readRest(url: string): Promise<RestView> {
  const instances = new Map<string, { file: string; dataset: string } | null>()
  for (const id of await json<string[]>(`${url}/instances`)) {
    const response = await fetch(`${url}/instances/${id}/file`)
    const file = Buffer.from(await response.arrayBuffer())
    instances.set(id, response.ok ? { file: sha256(file), dataset: sha256(datasetOf(file)) } : null)
  }
  const parents = new Map<string, boolean>()
  for (const level of ['patients', 'studies', 'series']) {
    const resources = await json<{ ID: string; IsStable: boolean }[]>(`${url}/${level}?expand`)
    for (const { ID, IsStable } of resources) parents.set(ID, IsStable)
  }
  return { instances, parents, changes: await readChanges(url) }
}

async function readChanges(url: string): Promise<RestChange[]> {
  const changes: RestChange[] = []
  for (let since = 0; ; ) {
    const page = await json<{
      Changes: { Seq: number; ChangeType: string; ID: string }[]
      Done: boolean
      Last: number
    }>(`${url}/changes?since=${since}&limit=1000`)
    changes.push(...page.Changes.map(({ Seq, ChangeType, ID }) => ({ seq: Seq, type: ChangeType, id: ID })))
    if (page.Done) return changes
    since = page.Last
  }
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok)
    throw new Error(`GET ${url} was answered with ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}
