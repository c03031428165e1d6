/** The contract of the store as tests, of what is owed to scripts: keys, late arrivals, pauses, replays, runs. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lostRun } from '../../src/store/lost-run.ts'
import type { ChangeType, KeyChoice, Lease, RunRecord, Settlement, Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import type { StoreUnderTest } from './store.cases.ts'

const version = { hash: 'v1', code: '', sourceMap: '{}' }
const nothing = { durationMs: 1, cpuMs: 1, memoryBytes: 1, logs: '[]', hostCalls: '[]', event: null }
const ok: RunRecord = { version: 'v1', outcome: 'ok', reason: null, attempts: 8, ...nothing }
const threw: RunRecord = { ...ok, outcome: 'threw', reason: '{"message":"no"}' }
const day = 86_400_000

export function deliveryCases(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest
    let store: Store

    beforeEach(async () => {
      under = await open()
      store = under.store
      await store.tick()
    })
    afterEach(() => under.close())

    const pass = async (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        under.advance(Math.min(500, left))
        while ((await store.tick()).nextCheckInMs === 0);
      }
    }
    const subscribe = (script: string, type: ChangeType, key?: KeyChoice) =>
      store.putScript(script, version, [
        { type, callback: `on${type}`, ...(key === undefined ? {} : { key }) },
      ])
    const lease = async (script: string, count = 100) =>
      (await store.lease({ [script]: count }, 1_000)).leases
    const end = (of: Lease, next: Settlement['next'], run: RunRecord | null = next === 'done' ? ok : threw) =>
      store.settle({ delivery: of.delivery, fence: of.fence, next, delayMs: 5_000, run, keyValueWrites: [] })
    const eventOf = ({ event }: Lease) => JSON.parse(event ?? 'null')

    describe('order', () => {
      /** Which of four instances can be had while the first has failed. */
      const held = async (key: KeyChoice) => {
        await subscribe('s', 'NewInstance', key)
        const places = [
          { instance: '1', series: 'A', study: 'S', patient: 'P' },
          { instance: '2', series: 'A', study: 'S', patient: 'P' },
          { instance: '3', series: 'B', study: 'S', patient: 'P' },
          { instance: '4', series: 'A', study: 'T', patient: 'P' },
          { instance: '5', series: 'A', study: 'U', patient: 'Q' },
        ]
        for (const place of places) await store.record(arrivalOf(place))
        const [first] = await lease('s', 1)
        await end(first!, 'retry')
        const ids = new Map(places.map((place) => [arrivalOf(place).header.ids.instance, place.instance]))
        return (await lease('s')).map(({ resource }) => ids.get(resource!.id)).join('')
      }

      it.each([
        ['patient', '5'],
        ['study', '45'],
        ['series', '345'],
        ['resource', '2345'],
        ['none', '2345'],
      ] as const)('by %s, what has another key goes on while one waits', async (key, others) => {
        expect(await held(key)).toBe(others)
      })

      it.each([1, 2, 3])(
        'is kept in a key with hundreds, whatever becomes of those before (%i)',
        async (seed) => {
          await subscribe('s', 'NewInstance')
          const studies = Array.from({ length: 260 }, (_, at) => (at % 13 === 0 ? 'T' : 'S'))
          for (const [at, study] of studies.entries())
            await store.record(arrivalOf({ instance: String(at), series: study, study }))
          const ends = fc.constantFrom('done', 'done', 'done', 'done', 'retry', 'release', 'dead')
          const next = fc.sample(ends, { numRuns: 5_000, seed }) as Settlement['next'][]
          const inHand = new Map<string, Lease[]>()
          const told = new Map<string, number[]>()
          let left = studies.length
          for (let round = 0; left > 0; round++) {
            expect(round).toBeLessThan(500)
            // The second time in vain, while the first are at work.
            const leases = [...(await lease('s', 1 + (next.length % 9))), ...(await lease('s', 1))]
            for (const each of leases) inHand.set(each.key, [...(inHand.get(each.key) ?? []), each])
            if (inHand.size === 0) await pass(5_000)
            // Two of each key, so that others are asked for while some are at work.
            for (const [key, [first, second, ...others]] of [...inHand]) {
              const both = [first, second].filter((each) => each !== undefined)
              const isStopped = both.map(() => false)
              for (const [at, each] of both.entries()) {
                const how = isStopped[at - 1] ? 'release' : next.pop()!
                isStopped[at] = how === 'retry' || how === 'release'
                if (!isStopped[at]) {
                  told.set(key, [...(told.get(key) ?? []), each.seq])
                  left -= 1
                }
                expect(await end(each, how, how === 'release' ? null : undefined)).toBe(true)
              }
              const behind = isStopped.at(-1) ? others.splice(0) : []
              for (const each of behind) expect(await end(each, 'release', null)).toBe(true)
              if (others.length > 0) inHand.set(key, others)
              else inHand.delete(key)
            }
          }
          const orders = [...told.values()]
          expect(orders.map(({ length }) => length).sort()).toEqual([20, 240])
          for (const seqs of orders) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
          expect(await lease('s')).toEqual([])
        },
      )

      it('by patient, deletions come after what came before them', async () => {
        await subscribe('s', 'DeletedInstance', 'patient')
        const { ids } = arrivalOf({ instance: '1' }).header
        await store.record(arrivalOf({ instance: '1' }))
        await store.remove('Patient', ids.patient)
        expect((await lease('s')).map(({ key }) => key)).toEqual([ids.patient])
      })
    })

    describe('late arrivals', () => {
      const { ids } = arrivalOf({ instance: '1' }).header
      const settles = async (...instances: string[]) => {
        for (const instance of instances) await store.record(arrivalOf({ instance, series: instance }))
        await pass(2_000)
      }

      it('tells what was added since the revision that this callback finished, not since the last', async () => {
        await subscribe('s', 'StableStudy')
        await settles('1')
        await end((await lease('s'))[0]!, 'done')
        await settles('2')
        await end((await lease('s'))[0]!, 'dead')
        await settles('3')
        const [third] = await lease('s')
        expect(eventOf(third!)).toMatchObject({
          revision: 3,
          sinceRevision: 1,
          added: { instanceCount: 2, seriesCount: 2 },
        })
        expect(third!.late).toMatchObject({ revision: 3, sinceRevision: 1, addedCount: 2, removedCount: 0 })
        const { addedAfter, addedUpTo } = third!.late!
        expect(await store.addedInstances('Study', ids.study, addedAfter, addedUpTo)).toEqual(
          ['2', '3'].map((instance) => arrivalOf({ instance, series: instance }).header.ids.instance),
        )
      })

      it('tells everything to a callback that has finished none', async () => {
        await subscribe('s', 'StableStudy')
        await settles('1')
        await settles('2')
        await end((await lease('s'))[0]!, 'dead')
        expect(eventOf((await lease('s'))[0]!)).toMatchObject({
          revision: 2,
          sinceRevision: 0,
          added: { instanceCount: 2 },
        })
      })

      it('tells what was removed since', async () => {
        await subscribe('s', 'StableStudy')
        await settles('1', '2', '3')
        await end((await lease('s'))[0]!, 'done')
        const gone = arrivalOf({ instance: '2', series: '2' }).header.ids
        await store.remove('Instance', gone.instance)
        await settles('4')
        expect(eventOf((await lease('s'))[0]!)).toMatchObject({
          removed: { instanceCount: 1, instances: [gone.instance], seriesCount: 1, series: [gone.series] },
          added: { instanceCount: 1 },
        })
      })

      it('keeps revisions in order when another key is chosen, and lets go on what nothing holds up then', async () => {
        await subscribe('s', 'StableStudy', 'patient')
        await settles('1')
        await end((await lease('s'))[0]!, 'retry')
        await store.record(arrivalOf({ study: 'other', instance: '9' }))
        await pass(2_000)
        expect(await lease('s')).toEqual([])
        await subscribe('s', 'StableStudy', 'resource')
        const [other] = await lease('s')
        expect(other!.resource!.id).toBe(arrivalOf({ study: 'other', instance: '9' }).header.ids.study)
        await end(other!, 'done')
        await settles('2')
        expect(await lease('s')).toEqual([])
        under.advance(5_000)
        const [first] = await lease('s')
        expect(eventOf(first!)).toMatchObject({ revision: 1 })
        expect(await lease('s')).toEqual([])
        await end(first!, 'done')
        expect(eventOf((await lease('s'))[0]!)).toMatchObject({ revision: 2, sinceRevision: 1 })
      })

      it('hands out one revision at a time also where nothing else is in order', async () => {
        await subscribe('s', 'StableStudy', 'none')
        await settles('1')
        await settles('2')
        expect(await lease('s', 1)).toHaveLength(1)
        expect(await lease('s')).toHaveLength(0)
      })

      it('tells an older revision as it was, when it is tried again after a later one was finished', async () => {
        await subscribe('s', 'StableStudy')
        await settles('1')
        await end((await lease('s'))[0]!, 'dead')
        await settles('2')
        await end((await lease('s'))[0]!, 'done')
        await store.retryDead('s')
        const [first] = await lease('s')
        expect(first!.late).toMatchObject({ sinceRevision: 0, addedCount: 1 })
        expect(eventOf(first!)).toMatchObject({ revision: 1, sinceRevision: 0, added: { instanceCount: 1 } })
        await end(first!, 'done')
        for (const [instance, ends] of [
          ['3', 'dead'],
          ['4', 'done'],
        ] as const) {
          await settles(instance)
          await end((await lease('s'))[0]!, ends)
        }
        await store.retryDead('s')
        const [third] = await lease('s')
        expect(eventOf(third!)).toMatchObject({ revision: 3, sinceRevision: 2, added: { instanceCount: 1 } })
        const { addedAfter, addedUpTo } = third!.late!
        expect(await store.addedInstances('Study', third!.resource!.id, addedAfter, addedUpTo)).toEqual([
          arrivalOf({ instance: '3', series: '3' }).header.ids.instance,
        ])
        await end(third!, 'done')
        await settles('5')
        expect((await lease('s'))[0]!.late).toMatchObject({ sinceRevision: 4, addedCount: 1 })
      })

      it('hands out one revision of a resource at a time, and nothing of its key past it', async () => {
        await subscribe('s', 'StableStudy')
        await settles('1')
        await settles('2')
        expect(await lease('s')).toHaveLength(1)
        expect(await lease('s')).toHaveLength(0)
      })
    })

    describe('dead deliveries', () => {
      const die = async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = await lease('s')
        await end(first!, 'dead')
        return first!
      }

      it('are kept with why, what and their history, until one of them is tried again', async () => {
        const first = await die()
        store = await under.reopen()
        expect(await store.deliveries({ state: 'dead', limit: 10 })).toMatchObject([
          { id: first.delivery, state: 'dead', attempt: 1, reason: threw.reason, waitsFor: null },
        ])
        const found = await store.delivery(first.delivery)
        expect(JSON.parse(found!.event!)).toMatchObject({ change: 'NewInstance', seq: first.seq })
        expect(await store.runs({ delivery: first.delivery, limit: 10 })).toHaveLength(1)
        expect(await store.retryDelivery(first.delivery)).toBe(true)
        expect(await store.retryDelivery(first.delivery)).toBe(false)
        const [again] = await lease('s')
        expect(again).toMatchObject({ attempt: 1, idempotencyKey: first.idempotencyKey })
        expect(await end(first, 'done')).toBe(false)
      })

      it('are dropped when somebody says so, and nothing else is', async () => {
        const first = await die()
        await store.record(arrivalOf({ instance: '2' }))
        const [second] = await lease('s')
        expect(await store.dropDelivery(second!.delivery)).toBe(false)
        expect(await store.dropDelivery(first.delivery)).toBe(true)
        expect(await store.delivery(first.delivery)).toBeNull()
        expect(await store.dropDead(null)).toBe(0)
      })

      it('are tried again or dropped all at once, of one script or of all', async () => {
        await die()
        expect(await store.retryDead('other')).toBe(0)
        expect(await store.retryDead('s')).toBe(1)
        await end((await lease('s'))[0]!, 'dead')
        expect(await store.dropDead('other')).toBe(0)
        expect(await store.dropDead('s')).toBe(1)
      })

      it('that wait for their next try are tried at once on demand', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = await lease('s')
        await end(first!, 'retry')
        expect(await lease('s')).toEqual([])
        expect(await store.retryDelivery(first!.delivery)).toBe(true)
        expect(await lease('s')).toMatchObject([{ attempt: 2 }])
      })
    })

    it('says why each delivery waits', async () => {
      const waits = async () => (await store.deliveries({ limit: 10 })).map(({ waitsFor }) => waitsFor)
      await subscribe('s', 'NewInstance')
      for (const instance of ['1', '2']) await store.record(arrivalOf({ instance }))
      await store.record(arrivalOf({ instance: '3', study: 'T' }))
      const [first] = await lease('s', 1)
      await end(first!, 'retry')
      expect(await waits()).toEqual(['backoff', 'key', 'turn'])
      expect((await store.deliveries({ limit: 10 }))[1]?.behind).toBe(first!.delivery)
      await store.pause('s')
      expect(await waits()).toEqual(['paused', 'paused', 'paused'])
      await store.unpause('s')
      await store.pause(null)
      expect(await waits()).toEqual(['paused', 'paused', 'paused'])
      await store.unpause(null)
      await store.suspendScript('s', 'v1', 'harm')
      expect(await waits()).toEqual(['suspended', 'suspended', 'suspended'])
      await store.parkScript('s')
      expect(await waits()).toEqual(['script', 'script', 'script'])
    })

    it('says of no retry that it is due while its script is paused or suspended', async () => {
      await subscribe('s', 'NewInstance')
      await store.record(arrivalOf({ instance: '1' }))
      await end((await lease('s'))[0]!, 'retry')
      await store.pause('s')
      under.advance(6_000)
      const due = async () => (await store.lease({ s: 1 }, 1_000)).nextRetryInMs
      expect(await due()).toBeNull()
      await store.unpause('s')
      await store.suspendScript('s', 'v1', 'harm')
      expect(await due()).toBeNull()
    })

    it('keeps in order what a callback is owed that was gone for a while and came back with another key', async () => {
      await subscribe('s', 'NewInstance')
      for (const instance of ['1', '2']) await store.record(arrivalOf({ instance }))
      await end((await lease('s', 1))[0]!, 'retry')
      await store.putScript('s', version, [])
      await subscribe('s', 'NewInstance', 'patient')
      await store.record(arrivalOf({ instance: '3', study: 'T' }))
      expect(await lease('s')).toEqual([])
      under.advance(6_000)
      expect((await lease('s', 1)).map(({ seq, key }) => [seq, key])).toEqual([
        [1, arrivalOf({ instance: '1' }).header.ids.patient],
      ])
    })

    it('hands out nothing of what is paused, also after a restart, and all of it afterwards', async () => {
      await subscribe('s', 'NewInstance')
      await subscribe('t', 'NewInstance')
      await store.record(arrivalOf({ instance: '1' }))
      await store.pause('s')
      expect(await lease('s')).toEqual([])
      store = await under.reopen()
      expect((await store.scripts()).map(({ pausedAtMs }) => pausedAtMs !== null)).toEqual([true, false])
      expect(await lease('s')).toEqual([])
      expect(await lease('t')).toHaveLength(1)
      await store.pause(null)
      await store.unpause('s')
      expect(await store.pausedAll()).not.toBeNull()
      expect(await lease('s')).toEqual([])
      await store.unpause(null)
      expect(await lease('s')).toHaveLength(1)
    })

    describe('replays', () => {
      it('tell a run’s change once more, under another idempotency key', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = await lease('s')
        await end(first!, 'done')
        const [run] = await store.runs({ limit: 1 })
        const preview = async () => store.replayRuns([run!.id, 999], false, true)
        expect([await preview(), await preview()]).toEqual([
          { replayed: 1, waiting: 0, gone: 1 },
          { replayed: 1, waiting: 0, gone: 1 },
        ])
        expect(await lease('s')).toEqual([])
        expect(await store.replayRuns([run!.id, 999], false)).toEqual({ replayed: 1, waiting: 0, gone: 1 })
        expect(await preview()).toEqual({ replayed: 0, waiting: 1, gone: 1 })
        expect(await store.replayRuns([run!.id], false)).toEqual({ replayed: 0, waiting: 1, gone: 0 })
        const [again] = await lease('s')
        expect(again).toMatchObject({ seq: first!.seq, attempt: 1, version: null })
        expect(again!.idempotencyKey).toBe(`${first!.idempotencyKey}:replay-1`)
      })

      it('are in order with what else the script is told of the same key', async () => {
        await subscribe('s', 'NewInstance', 'patient')
        const { ids } = arrivalOf({ instance: '1' }).header
        await store.record(arrivalOf({ instance: '1' }))
        await end((await lease('s'))[0]!, 'done')
        await store.replayRuns([1], false)
        expect((await lease('s'))[0]).toMatchObject({ key: ids.patient })
      })

      it('are in the order of the log, whichever run is named first', async () => {
        await subscribe('s', 'NewInstance')
        for (const instance of ['1', '2', '3']) await store.record(arrivalOf({ instance }))
        for (const each of await lease('s')) await end(each, 'done')
        await store.replayRuns([3, 1, 2], false)
        const seqs = (await lease('s')).map(({ seq }) => seq)
        expect(seqs).toEqual([...seqs].sort((left, right) => left - right))
      })

      it('of what is dead tell what it would have told, and of what is finished move nothing on', async () => {
        await subscribe('s', 'StableStudy')
        for (const instance of ['1', '2']) {
          await store.record(arrivalOf({ instance }))
          await pass(2_000)
          await end((await lease('s'))[0]!, 'dead')
        }
        await store.replayRuns([2], false)
        const [second] = await lease('s')
        expect(eventOf(second!)).toMatchObject({ revision: 2, sinceRevision: 0, added: { instanceCount: 2 } })
        await end(second!, 'done')
        await store.replayRuns([2, 3], false)
        for (const each of await lease('s')) await end(each, 'done')
        await store.record(arrivalOf({ instance: '3' }))
        await pass(2_000)
        for (const each of await lease('s')) {
          if (eventOf(each).revision === 3)
            expect(each.late).toMatchObject({ sinceRevision: 2, addedCount: 1 })
          await end(each, 'done')
        }
      })

      it('of a revision say what came and went since the one before it', async () => {
        await subscribe('s', 'StableStudy')
        const first = arrivalOf({ instance: '1' })
        await store.record(first)
        await store.record(arrivalOf({ instance: '2' }))
        await pass(2_000)
        await end((await lease('s'))[0]!, 'done')
        await store.remove('Instance', first.header.ids.instance)
        await store.record(arrivalOf({ instance: '3' }))
        await pass(2_000)
        const [told] = await lease('s')
        await end(told!, 'done')
        await store.replaySince('s', 0)
        const again = await lease('s')
        expect(again.map(({ late }) => late?.sinceRevision)).toEqual([0])
        await end(again[0]!, 'done')
        const [second] = await lease('s')
        expect(second!.late).toEqual(told!.late)
        expect(eventOf(second!)).toMatchObject({ removed: { instanceCount: 1 }, added: { instanceCount: 1 } })
      })

      it('finish what was never finished, one revision after the other', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        await pass(2_000)
        await subscribe('s', 'StableStudy')
        await store.replaySince('s', 0)
        await end((await lease('s'))[0]!, 'done')
        await store.record(arrivalOf({ instance: '2' }))
        await pass(2_000)
        expect((await lease('s'))[0]!.late).toMatchObject({ sinceRevision: 1, addedCount: 1 })
      })

      it('that are dead keep their idempotency key when they are replayed', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = await lease('s')
        await end(first!, 'done')
        await store.replayRuns([1], false)
        const [replayed] = await lease('s')
        await end(replayed!, 'dead')
        await store.replayRuns([1], false)
        expect((await lease('s'))[0]!.idempotencyKey).toBe(replayed!.idempotencyKey)
      })

      it('may be of the version that ran then', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await end((await lease('s'))[0]!, 'done')
        await store.putScript('s', { ...version, hash: 'v2' }, [
          { type: 'NewInstance', callback: 'onNewInstance' },
        ])
        const [run] = await store.runs({ limit: 1 })
        await store.replayRuns([run!.id], true)
        expect((await lease('s'))[0]).toMatchObject({ version: 'v1' })
        expect(await store.scriptVersion('v1')).toEqual(version)
        expect(await store.scriptVersion('v0')).toBeNull()
      })

      it('since a change or a time tell all since, in order, before what is new, and nothing twice', async () => {
        await subscribe('s', 'NewInstance')
        const facts = ['1', '2', '3'].map((instance) => ({ instance, study: instance }))
        for (const each of facts) {
          await store.record(arrivalOf(each))
          under.advance(1_000)
        }
        const [first, second, third] = await lease('s')
        await end(first!, 'done')
        await end(second!, 'dead')
        const { last } = await store.changes({ last: true, limit: 1 })
        expect(await store.replayRange('s', { seq: 0 })).toEqual({
          deliveries: 2,
          waiting: 1,
          since: 0,
          until: last,
        })
        expect(await store.replayRange('nobody', { seq: 0 })).toBeNull()
        const { changedAtMs } = second!
        expect(await store.replayRange('s', { atMs: changedAtMs })).toMatchObject({
          deliveries: 1,
          waiting: 1,
        })
        expect(await store.replaySince('s', 0)).toBe(last)
        expect(await store.replaySince('nobody', 0)).toBeNull()
        // While nothing of it was told yet, it is the same that would be told.
        expect(await store.replayRange('s', { seq: 0 })).toEqual({
          deliveries: 2,
          waiting: 1,
          since: 0,
          until: last,
        })
        expect(await store.replaySince('s', 1)).toBe(last)
        await store.record(arrivalOf({ instance: '4', study: '4' }))
        const told = await lease('s')
        const { last: newest } = await store.changes({ last: true, limit: 1 })
        expect(told.map(({ seq }) => seq)).toEqual([first!.seq, second!.seq, newest - 2])
        expect(told[0]!.idempotencyKey).toMatch(/:replay-1$/)
        // It was never finished.
        expect(told[1]!.idempotencyKey).toBe(second!.idempotencyKey)
        expect(told[2]!.idempotencyKey).not.toMatch(/replay/)
        expect(await store.deliveries({ state: 'dead', limit: 10 })).toEqual([])
        await end(third!, 'done')
        expect(await lease('s')).toEqual([])
      })
    })

    describe('heartbeats', () => {
      it('come one interval after the script, then each interval, and never while one is owed', async () => {
        await store.putScript('s', version, [], 1_000)
        expect(await store.lease({ s: 1 }, 1_000)).toMatchObject({ leases: [], nextRetryInMs: 1_000 })
        under.advance(1_000)
        const [first] = await lease('s')
        expect(first).toMatchObject({ callback: 'onHeartbeat', resource: null, attempt: 1 })
        expect(eventOf(first!)).toMatchObject({ missed: 0, everyMs: 1_000 })
        under.advance(500)
        await store.renew([first!], 10_000)
        under.advance(3_000)
        expect(await lease('s')).toEqual([])
        await end(first!, 'done')
        const [second] = await lease('s')
        expect(eventOf(second!)).toMatchObject({ missed: 2 })
        expect(second!.idempotencyKey).not.toBe(first!.idempotencyKey)
        await end(second!, 'done', threw)
        expect(await store.runs({ limit: 1 })).toMatchObject([{ resource: null, seq: 0, outcome: 'threw' }])
      })

      it('that were missed while nobody was there come as one, which says how many', async () => {
        await store.putScript('s', version, [], 1_000)
        under.advance(10_500)
        store = await under.reopen()
        await store.putScript('s', version, [], 1_000)
        const leases = await lease('s')
        expect(leases).toHaveLength(1)
        expect(eventOf(leases[0]!)).toMatchObject({ missed: 9 })
        await end(leases[0]!, 'done')
        expect(await store.lease({ s: 1 }, 1_000)).toMatchObject({ leases: [], nextRetryInMs: 500 })
        await store.putScript('s', version, [], null)
        under.advance(5_000)
        expect(await lease('s')).toEqual([])
      })
    })

    describe('the log', () => {
      const first = async () => (await store.changes({ limit: 1 })).changes[0]?.seq
      const retention = { ageMs: day, mostBehind: 1_000, tooMany: 0, after: 0 }

      it('is kept for its time, and as far back as the slowest cursor and what is still owed', async () => {
        await subscribe('s', 'NewStudy')
        await store.record(arrivalOf({ instance: '1' }))
        under.advance(2 * day)
        await store.retireChanges(retention)
        expect(await first()).toBe(1)
        const [owed] = await lease('s')
        await store.retireChanges(retention)
        expect((await store.changes({ limit: 9 })).changes.map(({ type }) => type)).toEqual([
          'NewStudy',
          'NewPatient',
        ])
        await end(owed!, 'done')
        await store.record(arrivalOf({ instance: '2', study: 'T' }))
        await lease('s')
        expect(await store.retireChanges(retention)).toMatchObject({ last: null })
        expect(await first()).toBe(5)
        under.advance(2 * day)
        for (const each of await lease('s')) await end(each, 'done')
        await store.retireChanges(retention)
        const { changes, last } = await store.changes({ limit: 9 })
        expect([changes.length, last]).toEqual([1, 7])
      })

      it('keeps for a script that is too far behind, which is named, what lies within the bound', async () => {
        await subscribe('s', 'NewStudy')
        await store.pause('s')
        for (let n = 0; n < 20; n++) await store.record(arrivalOf({ instance: String(n) }))
        under.advance(2 * day)
        expect(await store.stragglers(100)).toEqual([])
        expect(await store.stragglers(10)).toEqual([{ name: 's', version: 'v1', behind: 23 }])
        await store.retireChanges({ ...retention, mostBehind: 10 })
        expect(await first()).toBe(14)
        await store.resumeScript('s', 10)
        expect(await store.stragglers(10)).toEqual([])
        expect((await store.backlog())[0]).toMatchObject({ behind: 10 })
      })

      it('goes before its time when it takes too much, but nothing that somebody has not been told of', async () => {
        await subscribe('s', 'NewStudy')
        await store.record(arrivalOf({ instance: '0' }))
        expect(await first()).toBe(1)
        const few = (await store.logSize()).bytes
        for (let n = 1; n < 900; n++) await store.record(arrivalOf({ instance: String(n) }))
        await store.changes({ limit: 1 })
        const size = await store.logSize()
        expect([size.changes, Math.round(size.bytes / few / 10)]).toEqual([903, 23])
        const tooMany = { ...retention, mostBehind: 10_000, tooMany: 10_000 }
        expect(await store.retireChanges(tooMany)).toEqual({ removed: 0, last: null })
        expect(await first()).toBe(1)
        const [owed] = await lease('s')
        expect(await store.retireChanges(tooMany)).toEqual({ removed: 500, last: 501 })
        const { changes } = await store.changes({ limit: 2 })
        // That of the new study is owed still.
        expect(changes.map(({ type, seq }) => [type, seq])).toEqual([
          ['NewStudy', 3],
          ['NewInstance', 502],
        ])
        expect(await store.logSize()).toMatchObject({ changes: 402 })
        await end(owed!, 'done')
        expect(await store.retireChanges({ ...tooMany, after: 501, tooMany: 2 })).toEqual({
          removed: 2,
          last: null,
        })
        expect(await store.retireChanges({ ...tooMany, after: 503 })).toEqual({ removed: 399, last: null })
        expect(await store.retireChanges(tooMany)).toEqual({ removed: 1, last: null })
        expect(await first()).toBe(903)
      })

      it('keeps the deletions for their time, of which late arrivals are told, also when it takes too much', async () => {
        await subscribe('s', 'StableStudy')
        for (const instance of ['1', '2']) await store.record(arrivalOf({ instance }))
        await pass(2_000)
        await end((await lease('s'))[0]!, 'done')
        await store.remove('Instance', arrivalOf({ instance: '1' }).header.ids.instance)
        await store.record(arrivalOf({ instance: '3' }))
        await pass(2_000)
        const [late] = await lease('s')
        await store.retireChanges({ ...retention, tooMany: 10_000 })
        await end(late!, 'retry')
        under.advance(6_000)
        expect(eventOf((await lease('s'))[0]!)).toMatchObject({ removed: { instanceCount: 1 } })
      })

      it('keeps no deletion that no late arrival can be told of, since the patient is gone, when it takes too much', async () => {
        for (const patient of ['P', 'Q'])
          for (const instance of ['1', '2'])
            await store.record(arrivalOf({ patient, study: patient, instance: `${patient}${instance}` }))
        const remove = (patient: string, instance: string) =>
          store.remove(
            'Instance',
            arrivalOf({ patient, study: patient, instance: `${patient}${instance}` }).header.ids.instance,
          )
        for (const instance of ['1', '2']) await remove('P', instance)
        await remove('Q', '1')
        await store.record(arrivalOf({ patient: 'R', study: 'R', instance: 'last' }))
        await store.changes({ limit: 1 })
        await store.retireChanges({ ...retention, tooMany: 10_000 })
        const { changes } = await store.changes({ limit: 10, types: ['DeletedInstance'] })
        expect(changes.map(({ id }) => id)).toEqual([
          arrivalOf({ patient: 'Q', study: 'Q', instance: 'Q1' }).header.ids.instance,
        ])
      })

      it('counts nothing between a deletion that is kept and the first change that may go', async () => {
        for (const instance of ['0', 'kept']) await store.record(arrivalOf({ instance }))
        await store.remove('Instance', arrivalOf({ instance: '0' }).header.ids.instance)
        for (let n = 1; n < 50; n++) await store.record(arrivalOf({ instance: String(n) }))
        await store.changes({ limit: 1 })
        await store.retireChanges({ ...retention, tooMany: 10_000 })
        expect(await store.logSize()).toMatchObject({ changes: 1 })
        await store.record(arrivalOf({ instance: 'last' }))
        await store.changes({ limit: 1 })
        expect(await store.logSize()).toMatchObject({ changes: 2 })
        const { changes } = await store.changes({ limit: 10, types: ['DeletedInstance'] })
        expect(changes).toHaveLength(1)
      })

      it('is not kept for a script that is told of no change, such as one with filters only', async () => {
        await store.putScript('filter', version, [], null)
        await store.parkScript('filter')
        for (let n = 0; n < 20; n++) await store.record(arrivalOf({ instance: String(n) }))
        expect(await store.backlog()).toMatchObject([{ script: 'filter', behind: 0 }])
        under.advance(2 * day)
        await store.retireChanges(retention)
        expect(await first()).toBe(23)
      })

      it('does not wait for a replay of a script that is gone', async () => {
        await subscribe('s', 'NewStudy')
        for (let n = 0; n < 20; n++) await store.record(arrivalOf({ instance: String(n) }))
        await end((await lease('s'))[0]!, 'done')
        await store.replaySince('s', 0)
        await store.parkScript('s')
        under.advance(2 * day)
        await store.retireChanges({ ...retention, mostBehind: 10 })
        expect(await first()).toBe(14)
      })

      it('waits for a replay, however far back it goes', async () => {
        await subscribe('s', 'NewStudy')
        for (let n = 0; n < 20; n++) await store.record(arrivalOf({ instance: String(n) }))
        await lease('s')
        await store.replaySince('s', 0)
        under.advance(2 * day)
        expect(await store.stragglers(10)).toEqual([])
        await store.retireChanges({ ...retention, mostBehind: 10 })
        expect(await first()).toBe(1)
      })
    })

    describe('runs', () => {
      const one = arrivalOf({ instance: '1', study: 'S', patient: 'P' }).header.ids
      beforeEach(async () => {
        await subscribe('s', 'NewInstance')
        await subscribe('t', 'NewInstance')
        await store.record(arrivalOf({ instance: '1', study: 'S', patient: 'P' }))
        await store.record(arrivalOf({ instance: '2', study: 'T', patient: 'Q' }))
        for (const script of ['s', 't']) {
          for (const each of await lease(script)) await end(each, 'done', script === 's' ? ok : threw)
          under.advance(1_000)
        }
      })
      const found = async (query: Partial<Parameters<Store['runs']>[0]>) =>
        (await store.runs({ limit: 10, ...query })).map(({ id }) => id)

      it('are found by all that an administrator knows, the latest first', async () => {
        expect(await found({})).toEqual([4, 3, 2, 1])
        expect(await found({ after: 2 })).toEqual([3, 4])
        expect(await found({ before: 3, limit: 1 })).toEqual([2])
        expect(await found({ script: 's' })).toEqual([2, 1])
        expect(await found({ callback: 'onNewInstance' })).toEqual([4, 3, 2, 1])
        expect(await found({ callback: 'onStableStudy' })).toEqual([])
        expect(await found({ outcomes: ['threw'] })).toEqual([4, 3])
        expect(await found({ outcomes: ['ok', 'threw'], script: 't' })).toEqual([4, 3])
        for (const resource of [one.instance, one.study, one.patient]) {
          expect(await found({ resource })).toEqual([3, 1])
        }
        expect(await found({ patientId: 'Q' })).toEqual([4, 2])
        expect(await found({ accessionNumber: 'A1' })).toEqual([])
        const [last] = await store.runs({ limit: 1 })
        expect(await found({ sinceMs: last!.endedAtMs })).toEqual([4, 3])
        expect(await found({ untilMs: last!.endedAtMs })).toEqual([2, 1])
      })

      it('are given in pages that are not too long', async () => {
        const much = { ...ok, logs: JSON.stringify([{ level: 'info', text: 'x'.repeat(1_500_000) }]) }
        for (const instance of ['5', '6', '7', '8']) {
          await store.record(arrivalOf({ instance }))
          await end((await lease('s'))[0]!, 'done', much)
        }
        expect(await found({})).toEqual([8, 7])
        expect(await found({ before: 7 })).toEqual([6, 5, 4, 3, 2, 1])
      })

      it('are replayed one of each callback and change, in the order of the log, or the latest of those', async () => {
        await store.replayRuns([1], false)
        await end((await lease('s'))[0]!, 'done', threw)
        expect(await store.runsToReplay({ limit: 10 })).toEqual([3, 5, 2, 4])
        expect(await store.runsToReplay({ limit: 1 })).toEqual([5])
        expect(await store.runsToReplay({ limit: 2, script: 's' })).toEqual([5, 2])
        expect(await store.runsToReplay({ limit: 10, outcomes: ['ok'] })).toEqual([1, 2])
        expect(await store.runsToReplay({ limit: 10, ids: [2, 5, 1, 99] })).toEqual([5, 2])
      })

      it('are found by patient when that is long gone', async () => {
        await store.remove('Patient', one.patient)
        expect(await found({ patientId: 'P' })).toEqual([3, 1])
        expect(await found({ resource: one.patient })).toEqual([3, 1])
      })

      it('are shown with what they were told', async () => {
        const shown = await store.run(1)
        expect(shown?.summary).toMatchObject({ script: 's', attempt: 1, attempts: 8 })
        expect(JSON.parse(shown!.event!)).toMatchObject({ id: one.instance })
        expect(await store.run(99)).toBeNull()
      })

      it('are shown with exactly what they were told: first, late, once more, and of no change', async () => {
        await store.putScript(
          'u',
          version,
          [
            { type: 'StableStudy', callback: 'onStableStudy' },
            { type: 'NewStudy', callback: 'onNewStudy' },
          ],
          60_000,
        )
        const tellAll = async () => {
          const told = await lease('u')
          for (const each of told)
            await end(each, 'done', { ...ok, event: each.isAsLogged ? null : each.event })
          const shown = await Promise.all((await found({ script: 'u', limit: told.length })).map(store.run))
          expect(shown.map((each) => each!.event)).toEqual(told.map(({ event }) => event).reverse())
          return told.map(({ isAsLogged }) => isAsLogged)
        }
        const third = arrivalOf({ instance: '3', study: 'U' })
        await store.record(third)
        expect(await tellAll()).toEqual([true])
        await pass(2_000)
        expect(await tellAll()).toEqual([true, true, true])
        for (const instance of ['4', '5']) await store.record(arrivalOf({ instance, study: 'U' }))
        await store.remove('Instance', third.header.ids.instance)
        await pass(2_000)
        expect(await tellAll()).toEqual([false])
        await store.replaySince('u', 0)
        expect(new Set([...(await tellAll()), ...(await tellAll())])).toEqual(new Set([false]))
        under.advance(60_000)
        expect(await tellAll()).toEqual([false])
        await store.remove('Study', third.header.ids.study)
        const [stable] = await store.runs({ script: 'u', callback: 'onStableStudy', limit: 1 })
        expect((await store.run(stable!.id))!.event).toContain(third.header.ids.study)
      })

      it('that nobody saw end are noted: the first of what was leased until its time was over, or its server gone', async () => {
        await subscribe('v', 'NewInstance', 'none')
        for (const instance of ['6', '7']) await store.record(arrivalOf({ instance }))
        const [first] = await lease('v')
        under.advance(2_000)
        expect((await lease('v')).map(({ attempt }) => attempt)).toEqual([2, 1])
        store = await under.reopen()
        expect((await lease('v')).map(({ attempt }) => attempt)).toEqual([3, 1])
        const lost = await store.runs({ script: 'v', limit: 10 })
        expect(lost).toMatchObject(
          [2, 1].map((attempt) => ({
            ...{
              attempt,
              delivery: first!.delivery,
              resource: first!.resource,
              outcome: 'crashed',
              version: 'v1',
            },
            reason: lostRun.reason,
          })),
        )
        expect(JSON.parse((await store.run(lost[0]!.id))!.event!)).toMatchObject({ attempt: 2 })
        // What a replay was told, the log alone does not say.
        await store.replaySince('v', 0)
        under.advance(2_000)
        for (const each of await lease('v')) {
          if (!each.idempotencyKey.includes('replay')) await end(each, 'done')
        }
        under.advance(2_000)
        await lease('v')
        const [replayed] = await store.runs({ script: 'v', outcomes: ['crashed'], limit: 1 })
        expect(await store.run(replayed!.id)).toMatchObject({ summary: { outcome: 'crashed' }, event: null })
      })

      it('are kept for their time, failures for theirs, and those of a dead delivery for ever', async () => {
        const retention = { okMs: day, failedMs: 10 * day, tooMany: 0 }
        await store.record(arrivalOf({ instance: '3' }))
        const [dies] = await lease('s')
        await end(dies!, 'dead')
        expect(await store.retireRuns(retention)).toEqual({ removed: 0, isOver: true })
        expect(await found({})).toHaveLength(5)
        under.advance(2 * day)
        await store.retireRuns(retention)
        expect(await found({})).toEqual([5, 4, 3])
        under.advance(20 * day)
        await store.retireRuns(retention)
        expect(await found({})).toEqual([5])
        await store.dropDead(null)
        await store.retireRuns(retention)
        expect(await found({})).toEqual([])
      })

      it('go, the oldest first, when they are too many', async () => {
        const few = await store.runsSize()
        expect(few.runs).toBe(4)
        expect(few.bytes).toBeGreaterThan(0)
        // A few that say much are no measure of the others.
        const much = { ...ok, logs: JSON.stringify([{ level: 'info', text: 'x'.repeat(100_000) }]) }
        await store.record(arrivalOf({ instance: '9' }))
        await end((await lease('s'))[0]!, 'done', much)
        expect((await store.runsSize()).bytes - few.bytes).toBeLessThan(150_000)
        const retire = (tooMany: number) => store.retireRuns({ okMs: day, failedMs: day, tooMany })
        expect(await retire(2)).toEqual({ removed: 2, isOver: true })
        expect(await found({})).toEqual([5, 4, 3])
        expect(await retire(10)).toEqual({ removed: 3, isOver: true })
        expect(await found({})).toEqual([])
      })
    })
  })
}
