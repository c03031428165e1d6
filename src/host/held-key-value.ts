/**
 * The memory of a script during one run: it sees what it wrote, and nobody else does before the run has ended.
 */
import { fault } from '../errors.ts'
import type { KeyValueWrite, Store } from '../store/store.ts'

/** Values are JSON text, and so are the answers. */
export interface HeldKeyValue {
  get(key: string): Promise<string>
  set(key: string, value: string): Promise<string>
  delete(key: string): string
  list(prefix: string): Promise<string>
  writes(): readonly KeyValueWrite[]
}

export type MemoryStore = Pick<Store, 'keyValue' | 'keyValueBytes' | 'keyValueList'>

const maxKeys = 1_000
/** Of all that a script remembers, since it is for ever. */
const maxStoredBytes = 256 * 1024 * 1024
const maxBytes = 4 * 1024 * 1024
const maxListed = 1_000

export function holdKeyValue(store: MemoryStore, script: string): HeldKeyValue {
  const held = new Map<string, string | null>()
  let bytes = 0
  let storedBytes: Promise<number> | null = null

  const write = (key: string, value: string | null): string => {
    const bytesAfter = bytes + sizeOf(key, value) - (held.has(key) ? sizeOf(key, held.get(key)!) : 0)
    if (bytesAfter > maxBytes || (!held.has(key) && held.size >= maxKeys)) {
      const limits = `${maxKeys} keys and ${maxBytes} bytes`
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
      if ((await storedBytes) + bytes > maxStoredBytes) {
        const limit = `${maxStoredBytes / 1024 / 1024} MB`
        throw fault(
          'too-large',
          `The memory of the script is full, at ${limit}: delete what it no longer needs`,
        )
      }
      return write(key, jsonText(value))
    },
    delete: (key) => write(key, null),
    async list(prefix) {
      const stored = await store.keyValueList(script, prefix, maxListed + held.size, maxBytes)
      const found = new Map<string, string | null>(stored.map(({ key, value }) => [key, value]))
      for (const [key, value] of held) if (key.startsWith(prefix)) found.set(key, value)
      const entries = [...found]
        .filter(([, value]) => value !== null)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .slice(0, maxListed)
      if (entries.reduce((sum, [, value]) => sum + value!.length, 0) > maxBytes) {
        const found = `The values below "${prefix}" have more than ${maxBytes} characters`
        throw fault('too-large', `${found}: list a longer prefix, or get them one by one`)
      }
      return `[${entries.map(([key, value]) => `{"key":${JSON.stringify(key)},"value":${value}}`).join(',')}]`
    },
    writes: () => [...held].map(([key, value]) => ({ key, value })),
  }
}

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
