/**
 * The journal of arrivals: what is torn is not read, what is old is not read again, and a power cut at any
 * moment takes nothing that was recorded.
 */

import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WriteWindow } from '../../src/lib/synced-file.ts'
import { decodeEntry, encodeEntry } from '../../src/store/sqlite/journal/entry.ts'
import { Journal } from '../../src/store/sqlite/journal/journal.ts'
import { readSegment, Segment } from '../../src/store/sqlite/journal/segment.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'

const entryOf = (number: number, length: number) => {
  const { content: _, ...arrival } = arrivalOf({ instance: String(number) })
  return {
    entry: { number, atMs: 1_000 + number, arrival },
    bytes: new Uint8Array(length).fill(number),
  }
}
type TestEntry = ReturnType<typeof entryOf>
const encoded = ({
  entry: { number, atMs, arrival },
  bytes,
}: Pick<TestEntry, 'entry'> & { bytes: Uint8Array | null }) =>
  encodeEntry({ number, atMs, arrivalJson: JSON.stringify(arrival), bytes })

describe('an entry', () => {
  it('is read as it was written, and not at all with any byte of it changed', () => {
    const { entry, bytes: content } = entryOf(7, 300)
    const bytes = Buffer.concat(encoded({ entry, bytes: content }))
    const { entry: read, end } = decodeEntry(bytes, 0)!
    expect(read).toEqual({ ...entry, bytes: { at: end - 300, length: 300 } })
    expect(bytes.subarray(end - 300, end)).toEqual(Buffer.from(content))
    expect(end).toBe(bytes.length)
    expect(decodeEntry(Buffer.concat(encoded({ entry, bytes: null })), 0)?.entry).toEqual({
      ...entry,
      bytes: null,
    })
    for (let at = 0; at < bytes.length; at++) {
      const torn = Buffer.from(bytes)
      torn[at]! ^= 0x40
      expect(decodeEntry(torn, 0)).toBeNull()
      expect(decodeEntry(bytes.subarray(0, at), 0)).toBeNull()
    }
  })
})

describe('a segment', () => {
  const write = async (segment: Segment, ...entries: TestEntry[]) => {
    const pieces = entries.flatMap(encoded)
    await segment.makeRoomFor(pieces.reduce((sum, { length }) => sum + length, 0))
    await segment.write(pieces)
  }
  const numbersIn = (path: string) => readSegment(path, 0).map(({ number }) => number)

  it('gives back all groups, and after it was begun anew only the new ones', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'segment')
    const segment = new Segment(path, 1024 * 1024, new WriteWindow())
    await write(segment, entryOf(1, 5_000))
    await write(segment, entryOf(2, 10), entryOf(3, 4_000))
    await write(segment, entryOf(4, 100))
    expect(numbersIn(path)).toEqual([1, 2, 3, 4])
    segment.clear()
    await write(segment, entryOf(5, 10))
    expect(numbersIn(path)).toEqual([5])
    expect(readSegment(path, 5)).toEqual([])
    await write(segment, entryOf(6, 1))
    expect(numbersIn(path)).toEqual([5, 6])
    segment.close()
  })

  it('begins a group where nothing was synced before, so that a torn write harms no earlier one', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'segment')
    const segment = new Segment(path, 1024 * 1024, new WriteWindow())
    await write(segment, entryOf(1, 10))
    await write(segment, entryOf(2, 10))
    segment.close()
    const second = encoded(entryOf(2, 10)).reduce((sum, { length }) => sum + length, 0)
    expect(second).toBeLessThan(4096)
    expect(statSync(path).size % 4096).toBe(0)
    expect(numbersIn(path)).toEqual([1, 2])
  })
})

describe.skipIf(!canMount)('a journal whose disk was full (needs the right to mount)', () => {
  it('goes on when there is room, with nothing of what it refused, and all of what it took', async () => {
    using disk = smallDisk({ sizeBytes: 12 * 1024 * 1024 })
    const options = {
      folder: join(disk.path, 'journal'),
      settledNumber: 0,
      usedNumber: 0,
      clock: () => 1,
      reach: () => {},
    }
    const arrivalNamed = (file: string, length: number) => {
      const { content: _, ...arrival } = arrivalOf({ instance: file })
      return { file, arrivalJson: JSON.stringify(arrival), bytes: new Uint8Array(length).fill(7) }
    }
    const many = (name: string) =>
      Array.from({ length: 40 }, (_, at) => arrivalNamed(`${name}${at}`, 60 * 1024))
    const journal = new Journal(options)
    const taken = [await journal.append(arrivalNamed('first', 5_000))]
    disk.fill()
    for (const name of ['x', 'y']) {
      const ends = await Promise.allSettled(many(name).map((each) => journal.append(each)))
      // Where room was made before there may be some left.
      taken.push(...ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])))
      const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
      expect(new Set(reasons)).toEqual(new Set(['storage-full']))
    }
    disk.makeRoom()
    taken.push(...(await Promise.all(many('z').map((each) => journal.append(each)))))
    taken.push(await journal.append(arrivalNamed('last', 10)))
    expect(taken.every(({ isKept }) => isKept)).toBe(true)
    await journal.close()

    const again = new Journal(options)
    const numbers = taken.map(({ number }) => number)
    expect(again.found(0).map(({ number }) => number)).toEqual(expect.arrayContaining(numbers))
    again.forgetFound()
    await again.close()
  })
})

/** What is durable: the database as it was after the last synced commit, and the journal as it is. */
function powerCut(from: string, synced: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(synced)) copyFileSync(join(synced, name), join(to, name))
  cpSync(join(from, 'journal'), join(to, 'journal'), { recursive: true })
}

function keepSynced(from: string, synced: string): void {
  mkdirSync(synced, { recursive: true })
  for (const name of ['index.sqlite', 'index.sqlite-wal']) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(synced, name))
  }
}

async function contentOf(store: Store) {
  const page = await store.changes({ limit: 10_000 })
  const instances = await store.list('Instance', null)
  return {
    changes: page.changes,
    instances: await store.findAll('Instance', instances),
    windows: (await store.windows(1_000)).map(({ dueInMs: _, ...window }) => window),
  }
}

type Step =
  | {
      kind: 'arrive'
      study: number
      instance: number
      isSynced: boolean
      isAnsweredEarly: boolean
      whenHeld: 'keep' | 'replace'
    }
  | { kind: 'remove'; study: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'lease' }
  | { kind: 'forget' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('arrive' as const),
      study: fc.integer({ min: 1, max: 3 }),
      instance: fc.integer({ min: 1, max: 6 }),
      isSynced: fc.boolean(),
      isAnsweredEarly: fc.boolean(),
      whenHeld: fc.constantFrom('keep' as const, 'replace' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), study: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'lease' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'forget' as const }) },
)

describe('a power cut', () => {
  it('takes no row, no number of the log, no time and no byte of what was recorded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        using folder = temporaryFolder()
        const [data, synced, after] = ['data', 'synced', 'after'].map((name) => join(folder.path, name))
        mkdirSync(data!)
        let nowMs = 1_800_000_000_000
        const options = { clock: () => nowMs, segmentBytes: 24_000 }
        const kept = new Map<string, Buffer>()
        let fileCount = 0
        let before: Awaited<ReturnType<typeof contentOf>>
        {
          await using store = await openSqlite({ folder: data!, ...options })
          await store.putScript('a.ts', { hash: 'h', code: '', sourceMap: '' }, [
            { type: 'NewInstance', callback: 'onStoredInstance' },
          ])
          keepSynced(data!, synced!)
          for (const each of steps) {
            const isDurable = await take(store, each)
            if (isDurable) keepSynced(data!, synced!)
          }
          before = await contentOf(store)
          powerCut(data!, synced!, after!)
        }
        nowMs += 60_000
        await using store = await openSqlite({ folder: after!, ...options })
        const files = new Map<string, Buffer>()
        for (let last = 0; ; ) {
          const page = await store.keptFiles(last)
          if (page.length === 0) break
          for (const { file, bytes } of page) files.set(file, Buffer.from(bytes))
          last = page.at(-1)!.number
        }
        await store.restoreRows(async () => true)
        expect(await contentOf(store)).toEqual(before)
        const unsynced = before.instances.flatMap((each) =>
          each.level === 'Instance' && kept.has(each.file) ? [each.file] : [],
        )
        for (const file of unsynced) expect(files.get(file)).toEqual(kept.get(file))
        // What was brought back once is not brought back again.
        expect(await store.keptFiles(0)).toEqual([])

        async function take(store: Store, each: Step): Promise<boolean> {
          switch (each.kind) {
            case 'arrive': {
              nowMs += 10
              const bytes = new Uint8Array(3_000).fill(each.instance)
              const facts = {
                study: `S${each.study}`,
                instance: String(each.instance),
                whenHeld: each.whenHeld,
              }
              const content = { path: join(folder.path, `file-${++fileCount}`), bytes }
              const arrival = arrivalOf({ ...facts, ...(each.isSynced ? {} : { content }) })
              if (each.isAnsweredEarly) await store.accept(arrival)
              else await store.record(arrival)
              if (!each.isSynced) kept.set(arrival.file, Buffer.from(bytes))
              return false
            }
            case 'remove':
              return (
                (await store.remove(
                  'Study',
                  arrivalOf({ study: `S${each.study}`, instance: '1' }).header.ids.study,
                )) !== null
              )
            case 'pass':
              nowMs += each.ms
              await store.tick()
              return true
            case 'lease':
              await store.lease({ 'a.ts': 3 }, 1_000)
              return false
            case 'forget': {
              const unsynced = await store.unsyncedFiles(false)
              if (unsynced === null) return false
              for (const file of unsynced.files) kept.delete(file)
              await store.forgetBytes(unsynced.batch)
              return true
            }
            default:
              return each satisfies never
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})
