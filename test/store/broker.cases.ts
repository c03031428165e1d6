/** The contract of the store as tests, of a message broker: what it announces and commands, and how far it was told. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Command, heldElsewhere, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { wellRun } from '../support/run-records.ts'
import type { StoreUnderTest } from './store.cases.ts'

const version = { hash: 'v1', code: '', sourceMap: '{}' }
const day = 86_400_000

export function brokerCases(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name}, with a broker`, () => {
    let under: StoreUnderTest
    let store: Store

    beforeEach(async () => {
      under = await open()
      store = under.store
      await pass(11_000)
    })
    afterEach(() => under.close())

    /** Ticks through time in steps that a running server would take. @returns how many windows fired */
    const pass = async (ms: number) => {
      let fired = 0
      for (let left = ms; left > 0; left -= 500) {
        under.advance(Math.min(500, left))
        for (let again = true; again; ) {
          const report = await store.tick()
          fired += report.fired
          again = report.nextCheckInMs === 0
        }
      }
      return fired
    }
    const announce = (instance: string, more: Partial<Parameters<typeof arrivalOf>[0]> = {}) =>
      store.record({ ...arrivalOf({ instance, ...more }), file: heldElsewhere, sizeBytes: 0 })
    const now = async () => (await store.observeAnnouncements(null)).nowMs

    describe('instances that are held elsewhere', () => {
      it('are recorded once, and have no file', async () => {
        expect(await announce('1')).toMatchObject({ status: 'Success' })
        expect(await announce('1')).toMatchObject({ status: 'AlreadyStored' })
        const { ids } = arrivalOf({ instance: '1' }).header
        expect(await store.find('Instance', ids.instance)).toMatchObject({ file: '', sizeBytes: 0 })
        expect(await store.holds([ids.instance])).toEqual(new Map())
        expect((await store.changes({ limit: 10 })).changes).toHaveLength(4)
      })

      it('give way to the same instance with its bytes, and leave no file behind', async () => {
        await announce('1')
        await pass(2_000)
        const arrival = arrivalOf({ instance: '1' })
        expect(await store.record(arrival)).toMatchObject({ status: 'Success' })
        const { instance } = arrival.header.ids
        expect(await store.holds([instance])).toEqual(new Map([[instance, arrival.file]]))
        expect(await store.windows(10)).toHaveLength(3)
        expect(await store.trash(10)).toEqual([])
      })

      it('are not told as deleted when that comes, and are told as new', async () => {
        await announce('1')
        await pass(2_000)
        const { last } = await store.changes({ last: true, limit: 1 })
        await store.record(arrivalOf({ instance: '1' }))
        const { ids } = arrivalOf({ instance: '1' }).header
        const { changes } = await store.changes({
          ...{ since: last, limit: 10 },
          types: ['NewInstance', 'NewStudy', 'NewPatient', 'DeletedInstance', 'DeletedStudy'],
        })
        expect(changes.map(({ type, id }) => [type, id])).toEqual([['NewInstance', ids.instance]])
        await pass(2_000)
        expect(await store.find('Study', ids.study)).toMatchObject({ revision: 2, isStable: true })
        expect(await store.find('Series', ids.series)).toMatchObject({ children: [ids.instance] })
        const told = await store.changesAfter(last, 10)
        const stable = told.find(({ type }) => type === 'StableStudy')
        expect(JSON.parse(stable!.event!)).toMatchObject({
          counts: { instances: 1 },
          added: { instanceCount: 1, instances: [ids.instance] },
        })
      })

      it('complete their series once, however they come', async () => {
        for (const place of [1, 2]) await announce(String(place), { place, expected: 2 })
        for (const place of [1, 2])
          await store.record(arrivalOf({ instance: String(place), place, expected: 2 }))
        const { changes } = await store.changes({ limit: 50, types: ['CompletedSeries'] })
        expect(changes).toHaveLength(1)
      })

      it('are not new when they are announced of one that is held here', async () => {
        const arrival = arrivalOf({ instance: '1', whenHeld: 'replace' })
        await store.record(arrival)
        await pass(2_000)
        expect(await announce('1', { whenHeld: 'replace' })).toMatchObject({ status: 'AlreadyStored' })
        expect(await store.windows(10)).toEqual([])
        expect(await store.find('Instance', arrival.header.ids.instance)).toMatchObject({
          file: arrival.file,
        })
      })

      it('can be deleted, and leave no file behind', async () => {
        await announce('1')
        const { ids } = arrivalOf({ instance: '1' }).header
        expect(await store.remove('Patient', ids.patient)).toEqual({ remainingAncestor: null })
        expect(await store.trash(10)).toEqual([])
        expect(await store.statistics()).toMatchObject({ instances: 0, totalBytes: 0 })
      })
    })

    describe('windows of what is held elsewhere', () => {
      it('fire like all others where nobody follows announcements', async () => {
        await announce('1')
        expect(await pass(1_500)).toBe(3)
      })

      it('wait until what was announced before the end of their silence has been taken in', async () => {
        await store.observeAnnouncements(null)
        await announce('1')
        const announcedAt = await now()
        expect(await pass(5_000)).toBe(0)
        expect(await store.windows(10)).toMatchObject([{ isHeld: true }, { isHeld: true }, { isHeld: true }])
        expect(await store.observeAnnouncements(announcedAt + 999)).toMatchObject({
          released: false,
          isWaitedFor: true,
        })
        expect(await pass(500)).toBe(0)
        expect(await store.observeAnnouncements(announcedAt + 1_000)).toMatchObject({ released: true })
        expect(await pass(500)).toBe(3)
        expect(await store.observeAnnouncements(null)).toMatchObject({ released: false, isWaitedFor: false })
      })

      it('wait anew when more of them was announced meanwhile', async () => {
        await store.observeAnnouncements(null)
        await announce('1')
        await pass(5_000)
        await announce('2')
        const lastAt = await now()
        await store.observeAnnouncements(lastAt)
        expect(await pass(500)).toBe(0)
        expect(await pass(1_000)).toBe(0)
        await store.observeAnnouncements(lastAt + 1_000)
        expect(await pass(500)).toBe(3)
        const { changes } = await store.changes({ limit: 100 })
        expect(changes.filter(({ type }) => type.startsWith('Stable'))).toHaveLength(3)
      })

      it('hold up no others', async () => {
        await store.observeAnnouncements(null)
        await announce('1', { patient: 'P', study: 'S' })
        await store.record(arrivalOf({ instance: '1', patient: 'Q', study: 'T' }))
        expect(await pass(1_500)).toBe(3)
      })

      it('hold up the study and the patient that they belong to', async () => {
        await store.observeAnnouncements(null)
        await announce('1', { series: 'A' })
        await store.record(arrivalOf({ instance: '1', series: 'B' }))
        expect(await pass(3_000)).toBe(1)
        await store.observeAnnouncements(await now())
        expect(await pass(500)).toBe(3)
      })

      it('fire at their deadline all the same', async () => {
        await store.observeAnnouncements(null)
        await announce('1', { ageMs: 1_000, maxWaitMs: 3_000 })
        expect(await pass(2_500)).toBe(0)
        expect(await pass(1_000)).toBe(3)
      })

      it('fire when they are forced', async () => {
        await store.observeAnnouncements(null)
        const { ids } = arrivalOf({ instance: '1' }).header
        await announce('1')
        await pass(2_000)
        expect(await store.forceStable('Patient', ids.patient)).toBe(true)
        expect(await store.windows(10)).toEqual([])
      })

      it('are let go an hour after the last that followed the announcements', async () => {
        await store.observeAnnouncements(null)
        await announce('1')
        await pass(2_000)
        under.advance(3_600_000)
        await store.tick()
        expect(await pass(11_000)).toBe(3)
      })

      it('wait for what was announced, too, when they are opened by hand', async () => {
        await announce('1')
        await pass(2_000)
        await store.observeAnnouncements(null)
        const { ids } = arrivalOf({ instance: '1' }).header
        await store.markUnstable('Study', ids.study, { ageMs: 1_000, maxWaitMs: null })
        expect(await pass(3_000)).toBe(0)
        await store.observeAnnouncements(await now())
        expect(await pass(500)).toBe(1)
      })

      it('wait for as long as it takes', async () => {
        await announce('1')
        for (let n = 0; n < 150; n++) {
          await store.observeAnnouncements(null)
          expect(await pass(1_000)).toBe(0)
        }
      })

      it('believe nobody about what is still to come', async () => {
        await store.observeAnnouncements((await now()) + 1_000_000)
        await announce('1')
        expect(await pass(3_000)).toBe(0)
      })

      it('stay held over a restart', async () => {
        await store.observeAnnouncements(null)
        await announce('1')
        await pass(2_000)
        store = await under.reopen()
        expect(await pass(15_000)).toBe(0)
        await store.observeAnnouncements(await now())
        expect(await pass(500)).toBe(3)
      })
    })

    describe('the relay', () => {
      it('begins at the end of the log, and goes on from where it was', async () => {
        expect(await store.relay()).toBeNull()
        expect(await store.rewindRelay(0)).toBeNull()
        await announce('1')
        const turn = await store.takeRelay(10_000)
        expect(turn).toMatchObject({ cursor: 4 })
        await announce('2')
        const [change] = await store.changesAfter(4, 10)
        const { ids } = arrivalOf({ instance: '2' }).header
        expect(change).toMatchObject({ seq: 5, type: 'NewInstance', id: ids.instance, key: ids.study })
        expect(await store.advanceRelay(turn!.fence, 5)).toBe(true)
        store = await under.reopen()
        expect(await store.takeRelay(10_000)).toMatchObject({ cursor: 5 })
        expect(await store.relay()).toMatchObject({ cursor: 5, last: 5 })
      })

      it('tells what a stable event says', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        await pass(2_000)
        const told = await store.changesAfter(4, 2)
        expect(told.map(({ type }) => type)).toEqual(['StableSeries', 'StableStudy'])
        expect(JSON.parse(told[1]!.event!)).toMatchObject({ revision: 1, counts: { instances: 1 } })
      })

      it('is moved only by whoever has it', async () => {
        const turn = await store.takeRelay(10_000)
        await announce('1')
        expect(await store.advanceRelay(turn!.fence, 3)).toBe(true)
        expect(await store.rewindRelay(1)).toBe(3)
        expect(await store.advanceRelay(turn!.fence, 4)).toBe(false)
        expect(await store.takeRelay(10_000)).toMatchObject({ cursor: 1 })
      })

      it('is never moved back by what was published late', async () => {
        const turn = await store.takeRelay(10_000)
        await announce('1')
        await store.advanceRelay(turn!.fence, 4)
        await store.advanceRelay(turn!.fence, 2)
        expect(await store.relay()).toMatchObject({ cursor: 4 })
      })

      it('says that nobody publishes when its time is over, or it was given back', async () => {
        await store.takeRelay(10_000)
        expect((await store.relay())!.node).not.toBeNull()
        await store.releaseRelay()
        under.advance(1)
        expect((await store.relay())!.node).toBeNull()
        await store.takeRelay(10_000)
        under.advance(10_001)
        expect((await store.relay())!.node).toBeNull()
      })

      it('keeps the log as far back as it is, unless nobody has published for as long as that is kept', async () => {
        const first = async () => (await store.changes({ limit: 1 })).changes[0]!.seq
        await store.takeRelay(10_000)
        await announce('1')
        await announce('2')
        under.advance(day / 2)
        await store.takeRelay(10_000)
        under.advance(day / 2)
        await store.retireChanges({ ageMs: day - 1_000, mostBehind: 1_000, tooMany: 0, after: 0 })
        expect(await first()).toBe(1)
        under.advance(day)
        await store.retireChanges({ ageMs: day - 1_000, mostBehind: 1_000, tooMany: 0, after: 0 })
        expect(await first()).toBe(5)
      })
    })

    describe('commands', () => {
      const { ids } = arrivalOf({ instance: '1' }).header
      const settle: Command = { kind: 'settle', level: 'Study', id: ids.study }
      const run: Command = {
        kind: 'run',
        script: 's',
        callback: 'onStableStudy',
        level: 'Study',
        id: ids.study,
      }
      const stable = async () =>
        (await store.changes({ limit: 100 })).changes.filter(({ type }) => type === 'StableStudy').length

      it('settle a resource, once for each id', async () => {
        await announce('1')
        expect(await store.command('a', settle)).toBe('done')
        expect(await stable()).toBe(1)
        await announce('2')
        expect(await store.command('a', settle)).toBe('repeated')
        expect(await stable()).toBe(1)
        expect(await store.command('b', settle)).toBe('done')
        expect(await stable()).toBe(2)
      })

      it('are known for thirty days', async () => {
        await announce('1')
        await store.command('a', settle)
        under.advance(29 * day)
        expect(await store.command('a', settle)).toBe('repeated')
        under.advance(2 * day)
        await store.command('b', settle)
        expect(await store.command('a', settle)).toBe('done')
      })

      it('are not done with when there is no such resource, so that they can come again', async () => {
        expect(await store.command('a', settle)).toBe('unknown-resource')
        await announce('1')
        expect(await store.command('a', settle)).toBe('done')
      })

      it('tell a callback once more of the last time that a resource became stable', async () => {
        await store.putScript('s', version, [{ type: 'StableStudy', callback: 'onStableStudy' }])
        await announce('1')
        await store.forceStable('Study', ids.study)
        const first = (await store.lease({ s: 10 }, 60_000)).leases
        expect(first).toHaveLength(1)
        await store.settle({
          delivery: first[0]!.delivery,
          fence: first[0]!.fence,
          next: 'done',
          delayMs: 0,
          run: wellRun,
          keyValueWrites: [],
        })
        expect(await store.command('a', run)).toBe('done')
        expect(await store.command('a', run)).toBe('repeated')
        const { leases } = await store.lease({ s: 10 }, 60_000)
        expect(leases.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
          `${first[0]!.idempotencyKey}:replay-1`,
        ])
      })

      it('say what they do not find', async () => {
        expect(await store.command('a', run)).toBe('unknown-script')
        await store.putScript('s', version, [{ type: 'NewStudy', callback: 'onNewStudy' }])
        expect(await store.command('a', run)).toBe('unknown-callback')
        await store.putScript('s', version, [{ type: 'StableStudy', callback: 'onStableStudy' }])
        expect(await store.command('a', run)).toBe('unknown-resource')
        await announce('1')
        expect(await store.command('a', run)).toBe('nothing-to-tell')
      })
    })
  })
}
