/** Whatever runs come to, a script's deliveries are concluded once, in order, and no two are at work. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ServeParts, serve } from '../../src/dispatch/serve.ts'
import type { Lease, Settlement } from '../../src/store/store.ts'

type End = 'done' | 'long' | 'retry' | 'dead' | 'version' | 'lost'

/** What a run comes to: mostly well and short; `version`: another version comes into force; `lost`: its lease. */
const end: fc.Arbitrary<End> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<End>('done') },
  { weight: 1, arbitrary: fc.constantFrom<End>('long', 'retry', 'dead', 'version', 'lost') },
)
const delivery = fc.record({ key: fc.constantFrom('a', 'b'), end, turns: fc.integer({ min: 0, max: 3 }) })

it('holds for any deliveries and any ends of their runs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(delivery, { maxLength: 40 }), async (deliveries) => {
      const facts = (lease: Lease) => deliveries[lease.delivery]!
      const leases = deliveries.map(({ key }, index) => ({ delivery: index, key, script: 's' }) as Lease)
      const begun: Lease[] = []
      const concluded: Lease[] = []
      const givenBack: Lease[] = []
      let atWork = 0
      let version = 1
      let handedVersion = 1
      /** The last run that was handed over: whether it ended well. */
      let last: Promise<boolean> = Promise.resolve(true)

      const run = async (lease: Lease): Promise<Settlement> => {
        expect(++atWork).toBe(1)
        begun.push(lease)
        for (let turn = 0; turn < facts(lease).turns; turn++) await new Promise(setImmediate)
        atWork--
        const { end } = facts(lease)
        if (end === 'version') version++
        const next = end === 'retry' || end === 'dead' ? end : 'done'
        const durationMs = end === 'long' ? 100 : 0
        return { delivery: lease.delivery, next, run: { durationMs }, keyValueWrites: [] } as never
      }
      const parts: ServeParts = {
        tell(lease, _isLive, before) {
          const previous = last
          if (before !== null) expect(handedVersion).toBe(version)
          handedVersion = version
          const settlement = (async () => {
            // As the child does it: a run that is ahead waits for the one before, and begins only after a good end.
            if (before !== null && !(await previous)) return null
            return run(lease)
          })()
          last = settlement.then((end) => end?.next === 'done')
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
      }
      await serve([...leases], parts)

      expect(concluded).toEqual(begun)
      const all = [...concluded, ...givenBack].map((lease) => lease.delivery).sort((a, b) => a - b)
      expect(all).toEqual(leases.map((lease) => lease.delivery))
      for (const key of ['a', 'b']) {
        const order = concluded.filter((lease) => lease.key === key).map((lease) => lease.delivery)
        expect(order).toEqual([...order].sort((a, b) => a - b))
        // Behind one that is to be tried again nothing of its key was begun.
        const retried = concluded.findIndex((lease) => lease.key === key && facts(lease).end === 'retry')
        if (retried >= 0) expect(concluded.slice(retried + 1).some((lease) => lease.key === key)).toBe(false)
      }
    }),
    { numRuns: 300 },
  )
})
