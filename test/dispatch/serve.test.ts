/** Whatever runs come to, a script's deliveries are concluded once, in order, and no two of a key are at work. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ScriptQueue } from '../../src/dispatch/script-queue.ts'
import { type ServeParts, serve } from '../../src/dispatch/serve.ts'
import type { Lease, Settlement } from '../../src/store/store.ts'

type End = 'done' | 'long' | 'retry' | 'dead' | 'version' | 'lost'

/** What a run comes to: mostly well and short; `version`: another version comes into force; `lost`: its lease. */
const end: fc.Arbitrary<End> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<End>('done') },
  { weight: 1, arbitrary: fc.constantFrom<End>('long', 'retry', 'dead', 'version', 'lost') },
)
const delivery = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  end,
  /** It is to be run by a version of its own, which is not at hand at once. */
  pinned: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  turns: fc.integer({ min: 0, max: 3 }),
})

it('holds for any deliveries, any ends of their runs, and any number of runs at a time', async () => {
  const deliveries = fc.array(delivery, { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(deliveries, fc.integer({ min: 1, max: 3 }), async (deliveries, concurrency) => {
      const facts = (lease: Lease) => deliveries[lease.delivery]!
      const leases = deliveries.map(
        ({ key }, index) =>
          ({ delivery: index, key, script: 's', version: deliveries[index]!.pinned ? 'old' : null }) as Lease,
      )
      const begun: Lease[] = []
      const concluded: Lease[] = []
      const givenBack: Lease[] = []
      /** Keys of the runs at work. */
      const atWork: string[] = []
      let version = 1
      const slots = Array.from({ length: concurrency }, () => ({
        atWork: 0,
        handedVersion: 1,
        wasPinned: false,
        /** The last run that was handed over: whether it ended well. */
        last: Promise.resolve(true),
      }))

      const run = async (lease: Lease, slot: number): Promise<Settlement> => {
        expect(++slots[slot]!.atWork).toBe(1)
        expect(atWork).not.toContain(lease.key)
        atWork.push(lease.key)
        begun.push(lease)
        for (let turn = 0; turn < facts(lease).turns; turn++) await new Promise(setImmediate)
        slots[slot]!.atWork--
        atWork.splice(atWork.indexOf(lease.key), 1)
        const { end } = facts(lease)
        if (end === 'version') version++
        const next = end === 'retry' || end === 'dead' ? end : 'done'
        const durationMs = end === 'long' ? 100 : 0
        return { delivery: lease.delivery, next, run: { durationMs }, keyValueWrites: [] } as never
      }
      const queue = new ScriptQueue()
      const serving = new Set<number>()
      const startSlots = async (): Promise<void> => {
        const started: Promise<void>[] = []
        for (let slot = 0; slot < concurrency && queue.peek(slot) !== undefined; slot++) {
          if (serving.has(slot)) continue
          serving.add(slot)
          started.push(serve(queue, slot, parts).finally(() => serving.delete(slot)))
        }
        await Promise.all(started)
      }
      const starting: Promise<void>[] = []
      const parts: ServeParts = {
        tell(lease, { slot, before }) {
          const own = slots[slot]!
          const previous = own.last
          if (before !== null) expect(own.handedVersion).toBe(version)
          // Nothing is in line beside one that has to be loaded first.
          if (facts(lease).pinned || own.wasPinned) expect(before).toBeNull()
          own.wasPinned = facts(lease).pinned
          own.handedVersion = version
          const settlement = (async () => {
            // As the child does it: a run that is ahead waits for the one before, and begins only after a good end.
            if (before !== null && !(await previous)) return null
            return run(lease, slot)
          })()
          own.last = settlement.then((end) => end?.next === 'done')
          return settlement
        },
        mayBegin: (lease) => facts(lease).end !== 'lost',
        isLive: () => true,
        versionOf: () => String(version),
        giveBack: (lease) => givenBack.push(lease),
        async conclude(lease) {
          concluded.push(lease)
          await new Promise(setImmediate)
        },
        onFreed: () => void starting.push(startSlots()),
      }
      queue.add(leases)
      starting.push(startSlots())
      for (let seen = 0; seen < starting.length; seen++) await starting[seen]

      expect(queue.length).toBe(0)
      if (concurrency === 1) expect(concluded).toEqual(begun)
      const all = [...concluded, ...givenBack].map((lease) => lease.delivery).sort((a, b) => a - b)
      expect(all).toEqual(leases.map((lease) => lease.delivery))
      for (const key of ['a', 'b', 'c']) {
        const order = concluded.filter((lease) => lease.key === key).map((lease) => lease.delivery)
        expect(order).toEqual([...order].sort((a, b) => a - b))
        // Behind one that is to be tried again nothing of its key was begun.
        const retried = concluded.findIndex((lease) => lease.key === key && facts(lease).end === 'retry')
        if (retried < 0) continue
        const behind = concluded.slice(retried + 1).filter((lease) => lease.key === key)
        expect(behind).toEqual([])
      }
    }),
    { numRuns: 500 },
  )
})
