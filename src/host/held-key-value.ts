/**
 * The memory of a script during one run: it sees what it wrote, and nobody else does before the run has ended.
 */
import { fault } from '../errors.ts'
import type { KeyValue, KeyValueWrite, Store } from '../store/store.ts'

/** Values are JSON text, and so are the answers. */
export interface HeldKeyValue {
  get(key: string): Promise<string>
  set(key: string, value: string): Promise<string>
  delete(key: string): string
  /** @param after a page of what comes after this key; null: all */
  list(prefix: string, after: string | null): Promise<string>
  writes(): readonly KeyValueWrite[]
}

export type MemoryStore = Pick<Store, 'keyValue' | 'keyValueBytes' | 'keyValueList'>

const mostKeys = 1_000
/** Of all that a script remembers, since it is for ever. */
const mostStoredBytes = 256 * 1024 * 1024
/** Of what a run writes; and an answer may have as much. */
const mostBytes = 4 * 1024 * 1024
/** Entries of a list. */
const mostListed = 1_000

export function holdKeyValue(store: MemoryStore, script: string): HeldKeyValue {
  const held = new Map<string, string | null>()
  let bytes = 0
  let storedBytes: Promise<number> | null = null

  const write = (key: string, value: string | null): string => {
    const bytesAfter = bytes + sizeOf(key, value) - (held.has(key) ? sizeOf(key, held.get(key)!) : 0)
    if (bytesAfter > mostBytes || (!held.has(key) && held.size >= mostKeys)) {
      const limits = `${mostKeys} keys and ${mostBytes} bytes`
      throw fault('too-large', `A run writes at most ${limits} to its memory: write less, or less often`)
    }
    bytes = bytesAfter
    held.set(key, value)
    return 'null'
  }

  return {
    get: async (key) => (held.has(key) ? held.get(key)! : await store.keyValue(script, key)) ?? 'null',
    async set(key, value) {
      storedBytes ??= store.keyValueBytes(script)
      if ((await storedBytes) + bytes > mostStoredBytes) {
        const limit = `${mostStoredBytes / 1024 / 1024} MB`
        throw fault(
          'too-large',
          `The memory of the script is full, at ${limit}: delete what it no longer needs`,
        )
      }
      return write(key, jsonText(value))
    },
    delete: (key) => write(key, null),
    async list(prefix, after) {
      const own = [...held].flatMap(([key, value]) =>
        value !== null && key.startsWith(prefix) && compare(key, after ?? '') > 0 ? [{ key, value }] : [],
      )
      const stored = await storedBeside(held, after ?? '', (from) =>
        store.keyValueList(script, { prefix, after: from, limit: mostListed + 1, mostBytes }),
      )
      const all = [...stored, ...own].sort((left, right) => compare(left.key, right.key))
      const page = firstOf(all)
      if (after === null && page.length < all.length) throw tooLong(prefix, page.length)
      return `[${page}]`
    },
    writes: () => [...held].map(([key, value]) => ({ key, value })),
  }
}

/** What is stored after a key, under keys that the run has not written: a little more than can be listed. */
async function storedBeside(
  held: ReadonlyMap<string, unknown>,
  after: string,
  pageAfter: (key: string) => Promise<readonly KeyValue[]>,
): Promise<KeyValue[]> {
  const found: KeyValue[] = []
  for (let from = after; ; ) {
    const page = await pageAfter(from)
    found.push(...page.filter(({ key }) => !held.has(key)))
    const isLast = page.length <= mostListed && bytesIn(page) <= mostBytes
    if (isLast || found.length > mostListed || bytesIn(found) > mostBytes) return found
    from = page.at(-1)!.key
  }
}

/** As many as one answer may have, each as JSON. */
function firstOf(entries: readonly KeyValue[]): string[] {
  const page: string[] = []
  // The brackets; a comma goes with each.
  let bytes = 2
  for (const { key, value } of entries) {
    const entry = `{"key":${JSON.stringify(key)},"value":${value}}`
    bytes += Buffer.byteLength(entry) + 1
    if (page.length === mostListed || bytes > mostBytes) break
    page.push(entry)
  }
  return page
}

const bytesIn = (entries: readonly KeyValue[]) =>
  entries.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0)

/** As the store does: by the bytes of UTF-8. */
const compare = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))

const tooLong = (prefix: string, count: number) =>
  fault(
    'too-large',
    `Below "${prefix}" are more than the ${count} entries of one list: list a longer prefix, or pages, with { after: '' } and then the last key of each`,
  )

function sizeOf(key: string, value: string | null): number {
  return Buffer.byteLength(key) + (value === null ? 0 : Buffer.byteLength(value))
}

function jsonText(value: string): string {
  try {
    return JSON.stringify(JSON.parse(value))
  } catch (cause) {
    throw fault('bad-host-call', 'host.kv.set: the value is not JSON', { cause })
  }
}
