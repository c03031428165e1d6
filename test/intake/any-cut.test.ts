/** Any way to cut an association into segments, units and fragments gives the same stored bytes. */
import { setImmediate as otherWork } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectTo } from '../support/association.ts'
import { type Answer, dataUnit, fragmentValue } from '../support/dimse-messages.ts'
import {
  associateUnit,
  inOrder,
  outgoing,
  piecesOf,
  releaseUnit,
  storedDatasets,
  storeFragments,
} from '../support/outgoing.ts'
import { startTestReceiver } from '../support/test-receiver.ts'

const sizes = (largest: number) =>
  fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: largest })), {
    minLength: 1,
    maxLength: 5,
  })

const associations = fc.record({
  pixelBytes: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 6 }),
  commandSizes: sizes(200),
  datasetSizes: sizes(4_000),
  /** Whether a dataset ends with an empty fragment. */
  isEndEmpty: fc.boolean(),
  fragmentsInUnits: sizes(40),
  segmentSizes: sizes(10_000),
  /** Whether the receiver may read between two pieces. */
  isSlow: fc.boolean(),
})
type Plan = typeof associations extends fc.Arbitrary<infer T> ? T : never

/** The units of an association, from its request to its release. */
function unitsOf(plan: Plan, instances: readonly ReturnType<typeof outgoing>[]): Buffer[] {
  const fragments = instances.flatMap((instance, at) => {
    const cut = storeFragments(instance, at + 1, plan)
    if (!plan.isEndEmpty) return cut
    // The control byte of the fragment that was the last (PS3.8, E.2).
    cut.at(-1)!.writeUInt8(0, 5)
    return [...cut, fragmentValue(Buffer.alloc(0), {})]
  })
  const units: Buffer[] = []
  for (let at = 0; at < fragments.length; ) {
    const end = at + plan.fragmentsInUnits[units.length % plan.fragmentsInUnits.length]!
    units.push(dataUnit(fragments.slice(at, end)))
    at = end
  }
  return [associateUnit, ...units, releaseUnit]
}

test('whatever the pieces, what is stored is what was sent, and each instance is answered before the release', async () => {
  await using receiver = await startTestReceiver()
  const sent: Buffer[] = []
  let associated = 0
  await fc.assert(
    fc.asyncProperty(associations, async (plan) => {
      const study = `S${associated++}`
      const instances = plan.pixelBytes.map((pixelBytes, number) =>
        outgoing({ study, instance: String(number), pixelBytes }),
      )
      using peer = connectTo(receiver.dicomPort)
      for (const piece of piecesOf(Buffer.concat(unitsOf(plan, instances)), plan.segmentSizes)) {
        await peer.send(piece)
        if (plan.isSlow) await otherWork()
      }
      expect(await peer.nextUnit()).toMatchObject({ type: 0x02 })
      const answered: Answer[] = []
      for (const _ of instances) answered.push(await peer.nextAnswer())
      expect(answered.map(({ status }) => status)).toEqual(instances.map(() => 0))
      expect(new Set(answered.map(({ messageId }) => messageId)).size).toBe(instances.length)
      expect(await peer.nextUnit()).toMatchObject({ type: 0x06 })
      sent.push(...instances.map(({ dataset }) => dataset))
      const stored = await storedDatasets(receiver)
      expect(stored.length).toBe(sent.length)
      expect(stored.every((dataset, at) => dataset.equals(inOrder(sent)[at]!))).toBe(true)
    }),
    { numRuns: 60 },
  )
})
