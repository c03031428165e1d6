/** The contract of the store as tests, to be run on each of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type ChangeType,
  everyChange,
  type Lease,
  type Settlement,
  type Store,
} from '../../src/store/store.ts'
import { arrivalOf, restOrigin } from '../support/arrivals.ts'
import { wellRun } from '../support/run-records.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Moves the store's clock on. */
  advance(ms: number): void
  /** Closes the store and opens it again, as a new process would; resolves to the new one. */
  reopen(): Promise<Store>
  close(): Promise<void>
}

const version = { hash: 'v1', code: '', sourceMap: '{}' }
const settlementOf = (
  lease: Lease,
  next: Settlement['next'],
  more: Partial<Settlement> = {},
): Settlement => ({
  delivery: lease.delivery,
  fence: lease.fence,
  next,
  delayMs: 0,
  run: wellRun,
  keyValueWrites: [],
  ...more,
})

export function storeCases(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest
    let store: Store

    beforeEach(async () => {
      under = await open()
      store = under.store
      await store.tick()
    })
    afterEach(() => under.close())

    const typesOf = async (since = 0) => {
      const all: ChangeType[] = [
        ...['New', 'Deleted'].flatMap((kind) =>
          ['Patient', 'Study', 'Series', 'Instance'].map((level) => `${kind}${level}` as ChangeType),
        ),
        'StablePatient',
        'StableStudy',
        'StableSeries',
        'CompletedSeries',
      ]
      const page = await store.changes({ since, limit: 1_000, types: all })
      return page.changes.map(({ type }) => type)
    }
    /** Ticks through time in steps that a running server would take. */
    const pass = async (ms: number) => {
      let fired = 0
      for (let left = ms; left > 0; left -= 500) {
        under.advance(Math.min(500, left))
        let report = await store.tick()
        fired += report.fired
        while (report.nextCheckInMs === 0) {
          report = await store.tick()
          fired += report.fired
        }
      }
      return fired
    }
    const subscribe = (script: string, ...types: ChangeType[]) =>
      store.putScript(
        script,
        version,
        types.map((type) => ({ type, callback: `on${type}` })),
      )

    describe('recording', () => {
      it('replaces several instances of a study at once, and the study stays what it was', async () => {
        const all = ['1', '2', '3'].map((instance) => arrivalOf({ instance }))
        for (const each of all) await store.record(each)
        const { study } = all[0]!.header.ids
        await store.forceStable('Study', study)
        const { last } = await store.changes({ last: true, limit: 1 })
        await Promise.all(
          all.map((each, at) => store.record({ ...each, file: `again ${at}`, whenHeld: 'replace' })),
        )
        const { changes } = await store.changes({ since: last, limit: 20, types: everyChange })
        expect(changes.map(({ type }) => type)).toEqual(
          all.flatMap(() => ['DeletedInstance', 'NewInstance'] as const),
        )
        await subscribe('s', 'StableStudy')
        await store.forceStable('Study', study)
        const [told] = (await store.lease({ s: 1 }, 1_000)).leases
        expect(JSON.parse(told!.event!)).toMatchObject({ revision: 2, counts: { instances: 3 } })
      })

      it('lists what came at once in the order in which it came', async () => {
        const studies = ['F', 'B', 'E', 'A', 'D', 'C']
        const all = studies.map((study) => arrivalOf({ study, instance: study }))
        await Promise.all(all.map((each) => store.record(each)))
        expect(await store.list('Study', null)).toEqual(all.map(({ header }) => header.ids.study))
      })

      it('writes the changes of a new instance in Orthanc’s order', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        expect(await typesOf()).toEqual(['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient'])
      })

      it('changes nothing for an instance that is there already', async () => {
        const arrival = arrivalOf({ instance: '1' })
        await store.record(arrival)
        await pass(5_000)
        const before = await typesOf()
        expect(await store.record({ ...arrival, file: 'other' })).toMatchObject({ status: 'AlreadyStored' })
        expect(await typesOf()).toEqual(before)
        expect(await store.windows(10)).toEqual([])
        expect(await store.holds([arrival.header.ids.instance])).toEqual(
          new Map([[arrival.header.ids.instance, arrival.file]]),
        )
      })

      it('replaces an instance when told to, and makes its parents unstable again', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2' }))
        await pass(5_000)
        const since = (await store.changes({ last: true, limit: 1 })).last
        await store.record(arrivalOf({ instance: '1', whenHeld: 'replace' }))
        expect(await typesOf(since)).toEqual(['DeletedInstance', 'NewInstance'])
        expect(await store.windows(10)).toHaveLength(3)
        expect(await store.trash(10)).toHaveLength(1)
      })

      it('says so by what the series announced, also when the last instance announces nothing', async () => {
        await store.record(arrivalOf({ instance: '1', place: 1, expected: 2 }))
        await store.record(arrivalOf({ instance: '2', place: 2 }))
        expect(await typesOf()).toContain('CompletedSeries')
      })

      it('says that a series is completed when the last announced instance is there', async () => {
        await store.record(arrivalOf({ instance: '1', place: 1, expected: 2 }))
        expect(await typesOf()).not.toContain('CompletedSeries')
        await store.record(arrivalOf({ instance: '2', place: 2, expected: 2 }))
        expect((await typesOf()).filter((type) => type === 'CompletedSeries')).toHaveLength(1)
      })
    })

    describe('stability', () => {
      it('fires series, study and patient once each, in that order, when they have been quiet', async () => {
        await store.tick()
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2', series: 'B' }))
        expect(await pass(900)).toBe(0)
        expect(await pass(200)).toBe(4)
        expect((await typesOf()).slice(-4)).toEqual([
          'StableSeries',
          'StableSeries',
          'StableStudy',
          'StablePatient',
        ])
        expect(await pass(10_000)).toBe(0)
      })

      it('waits from the last arrival', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        await pass(800)
        await store.record(arrivalOf({ instance: '2' }))
        expect(await pass(900)).toBe(0)
        expect(await pass(100)).toBe(3)
      })

      it('uses the longest age that any arrival was given', async () => {
        await store.record(arrivalOf({ instance: '1', ageMs: 3_000 }))
        await store.record(arrivalOf({ instance: '2', ageMs: 1_000 }))
        expect(await pass(2_900)).toBe(0)
        expect(await pass(100)).toBe(3)
      })

      it('never fires a parent while something below it is unstable, even if the parent’s age is shorter', async () => {
        const age = { Study: { ageMs: 500, maxWaitMs: null }, Patient: { ageMs: 100, maxWaitMs: null } }
        await store.record(arrivalOf({ instance: '1', ageMs: 2_000, age }))
        expect(await pass(1_900)).toBe(0)
        expect(await pass(200)).toBe(3)
        expect((await typesOf()).slice(-3)).toEqual(['StableSeries', 'StableStudy', 'StablePatient'])
      })

      it('fires at the deadline though instances still come, what is below first', async () => {
        const age = { Study: { ageMs: 1_000, maxWaitMs: 3_000 } }
        await store.tick()
        for (let n = 0; n < 8; n++) {
          await store.record(arrivalOf({ instance: String(n), age }))
          await pass(500)
        }
        const types = (await typesOf()).filter((type) => type.startsWith('Stable'))
        expect(types).toEqual(['StableSeries', 'StableStudy'])
      })

      it('fires what is below a forced resource first, with the reason, and not what is above', async () => {
        await subscribe('s', 'StableSeries', 'StableStudy', 'StablePatient')
        const { header } = arrivalOf({ instance: '1' })
        await store.record(arrivalOf({ instance: '1' }))
        expect(await store.forceStable('Study', header.ids.study)).toBe(true)
        expect(await store.forceStable('Study', header.ids.study)).toBe(false)
        const { leases } = await store.lease({ s: 10 }, 1_000)
        expect(leases.map(({ event }) => JSON.parse(event ?? '').trigger)).toEqual(['forced', 'forced'])
        expect(await store.windows(10)).toMatchObject([{ level: 'Patient' }])
      })

      it('opens a window when told that a resource is unstable, and fires a further revision', async () => {
        await subscribe('s', 'StableStudy')
        const { header } = arrivalOf({ instance: '1' })
        await store.record(arrivalOf({ instance: '1' }))
        await pass(5_000)
        expect(await store.markUnstable('Study', header.ids.study, { ageMs: 1_000, maxWaitMs: null })).toBe(
          true,
        )
        expect(await store.find('Study', header.ids.study)).toMatchObject({ isStable: false })
        await pass(1_000)
        for (const revision of [1, 2]) {
          const { leases } = await store.lease({ s: 10 }, 1_000)
          expect(leases.map(({ event }) => JSON.parse(event ?? '').revision)).toEqual([revision])
          await store.settle(settlementOf(leases[0]!, 'done'))
        }
        expect(await store.markUnstable('Study', header.ids.patient, { ageMs: 1, maxWaitMs: null })).toBe(
          false,
        )
      })

      it('fires nothing for what was deleted, and starts anew for what is created again', async () => {
        await subscribe('s', 'StableStudy')
        const { header } = arrivalOf({ instance: '1' })
        await store.record(arrivalOf({ instance: '1' }))
        await store.remove('Patient', header.ids.patient)
        expect(await pass(5_000)).toBe(0)
        await store.record(arrivalOf({ instance: '1' }))
        await pass(5_000)
        const { leases } = await store.lease({ s: 10 }, 1_000)
        expect(leases.map(({ event }) => JSON.parse(event ?? '').revision)).toEqual([1])
      })

      it('counts only silence that it observed: after a pause in ticking a window is watched again', async () => {
        await store.record(arrivalOf({ instance: '1', ageMs: 60_000 }))
        await pass(1_000)
        under.advance(120_000)
        expect((await store.tick()).fired).toBe(0)
        expect(await pass(9_500)).toBe(0)
        expect(await pass(1_000)).toBe(3)
      })

      it('counts only silence that it observed: also after a restart', async () => {
        await store.record(arrivalOf({ instance: '1', ageMs: 1_000 }))
        store = await under.reopen()
        under.advance(60_000)
        expect((await store.tick()).fired).toBe(0)
        expect(await pass(1_000)).toBe(3)
      })

      it('tells in the event what an author would have to look up', async () => {
        await subscribe('s', 'StableStudy')
        const dicom = { ...restOrigin, requestOrigin: 'DicomProtocol', remoteAet: 'CT1' } as const
        await store.record(arrivalOf({ instance: '1', modality: 'CT' }))
        await pass(2_000)
        await store.record(arrivalOf({ instance: '2', series: 'B', modality: 'MR', origin: dicom }))
        await store.record(arrivalOf({ instance: '3', modality: 'CT' }))
        await pass(2_000)
        const [first] = (await store.lease({ s: 10 }, 1_000)).leases
        await store.settle(settlementOf(first!, 'done'))
        const { leases } = await store.lease({ s: 10 }, 1_000)
        const second = JSON.parse(leases[0]?.event ?? '')
        const { header } = arrivalOf({ instance: '2', series: 'B' })
        expect(second).toMatchObject({
          change: 'StableStudy',
          level: 'Study',
          id: header.ids.study,
          tags: { StudyInstanceUID: '1.S' },
          patientTags: { PatientID: 'P' },
          parents: { patient: header.ids.patient },
          counts: { series: 2, instances: 3 },
          modalities: ['CT', 'MR'],
          revision: 2,
          sinceRevision: 1,
          removed: { seriesCount: 0, instanceCount: 0 },
          added: { seriesCount: 1, instanceCount: 2, series: [header.ids.series] },
          trigger: 'quiet',
          attempt: 1,
        })
        expect(second.origins).toEqual([restOrigin, dicom])
        expect(Date.parse(second.lastArrival)).toBeGreaterThan(Date.parse(second.firstArrival))
        expect(second.idempotencyKey).toBe(`${store.epoch}-${second.seq}:s:onStableStudy`)
      })
    })

    describe('the log', () => {
      it('numbers changes from 1 without gaps, and shows pages of them', async () => {
        for (let n = 0; n < 5; n++) await store.record(arrivalOf({ instance: String(n) }))
        const page = await store.changes({ since: 2, limit: 3 })
        expect(page.changes.map(({ seq }) => seq)).toEqual([3, 4, 5])
        expect(page).toMatchObject({ done: false, last: 5 })
        expect((await store.changes({ to: 6, limit: 2 })).changes.map(({ seq }) => seq)).toEqual([5, 6])
        expect(await store.changes({ since: 100, limit: 3 })).toEqual({ changes: [], done: true, last: 8 })
        expect((await store.changes({ last: true, limit: 9 })).changes).toMatchObject([{ seq: 8 }])
        expect((await store.changes({ limit: 9, types: ['NewStudy'] })).changes).toHaveLength(1)
      })

      it('keeps its numbers and the events owed when it is hidden', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await store.hideChanges()
        expect(await store.changes({ limit: 10 })).toEqual({ changes: [], done: true, last: 4 })
        await store.record(arrivalOf({ instance: '2' }))
        expect((await store.changes({ limit: 10 })).changes).toMatchObject([{ seq: 5 }])
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(2)
      })
    })

    describe('resources', () => {
      it('finds relatives in both directions', async () => {
        const one = arrivalOf({ instance: '1' }).header.ids
        const two = arrivalOf({ instance: '2', series: 'B' }).header.ids
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2', series: 'B' }))
        expect(await store.related('Patient', one.patient, 'Instance')).toEqual([one.instance, two.instance])
        expect(await store.related('Study', one.study, 'Series')).toEqual([one.series, two.series])
        expect(await store.related('Instance', two.instance, 'Patient')).toEqual([one.patient])
        expect(await store.related('Series', one.study, 'Instance')).toBeNull()
        expect(await store.list('Series', { since: 1, limit: 5 })).toEqual([two.series])
        expect(await store.statistics()).toMatchObject({ patients: 1, studies: 1, series: 2, instances: 2 })
      })

      it('deletes with what is below, with the parents left empty, and names the files', async () => {
        const one = arrivalOf({ instance: '1' }).header.ids
        const two = arrivalOf({ instance: '2', series: 'B' }).header.ids
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2', series: 'B' }))
        expect(await store.remove('Series', two.series)).toEqual({
          remainingAncestor: { level: 'Study', id: one.study },
        })
        expect(await store.remove('Series', two.series)).toBeNull()
        expect(await store.remove('Instance', one.instance)).toEqual({ remainingAncestor: null })
        expect(await store.list('Patient', null)).toEqual([])
        const files = await store.trash(10)
        expect(files).toHaveLength(2)
        await store.forgetTrash(files)
        expect(await store.trash(10)).toEqual([])
        expect(await store.orphans(files)).toEqual(files)
      })
    })

    describe('deliveries', () => {
      it('starts a new script at the end of the log', async () => {
        await store.record(arrivalOf({ instance: '1' }))
        await subscribe('s', 'NewInstance')
        expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
        await store.record(arrivalOf({ instance: '2' }))
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(1)
      })

      it('hands a delivery to one at a time, until it is settled', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const { leases } = await store.lease({ s: 10 }, 1_000)
        expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
        expect(await store.settle(settlementOf(leases[0]!, 'done'))).toBe(true)
        expect(await store.settle(settlementOf(leases[0]!, 'done'))).toBe(false)
        expect(await store.runs({ limit: 10 })).toMatchObject([
          { script: 's', callback: 'onNewInstance', attempt: 1 },
        ])
        expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
      })

      it('holds back what comes after a failed delivery of the same study, and lets other studies go on', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1', study: 'S' }))
        await store.record(arrivalOf({ instance: '2', study: 'S' }))
        await store.record(arrivalOf({ instance: '3', study: 'T' }))
        const { leases } = await store.lease({ s: 1 }, 1_000)
        await store.settle(settlementOf(leases[0]!, 'retry', { delayMs: 5_000 }))
        const others = await store.lease({ s: 10 }, 60_000)
        expect(others.leases.map(({ resource }) => resource!.id)).toEqual([
          arrivalOf({ instance: '3', study: 'T' }).header.ids.instance,
        ])
        expect(others.nextRetryInMs).toBe(5_000)
        await store.settle(settlementOf(others.leases[0]!, 'done'))
        under.advance(5_000)
        const again = await store.lease({ s: 10 }, 1_000)
        expect(again.leases.map(({ attempt }) => attempt)).toEqual([2])
        await store.settle(settlementOf(again.leases[0]!, 'done'))
        const behind = await store.lease({ s: 10 }, 1_000)
        expect(behind.leases.map(({ attempt }) => attempt)).toEqual([1])
      })

      it.each(['done', 'dead'] as const)(
        'lets go on all that waited behind a failed one that is %s',
        async (next) => {
          await subscribe('s', 'NewInstance')
          const record = async (from: number, to: number) => {
            for (let n = from; n < to; n++) await store.record(arrivalOf({ instance: String(n), study: 'S' }))
          }
          await record(0, 150)
          const [failed, other] = (await store.lease({ s: 2 }, 1_000)).leases
          await store.settle(settlementOf(failed!, 'retry', { delayMs: 100 }))
          await store.settle(settlementOf(other!, 'release'))
          // Also what comes while it waits.
          await record(150, 250)
          expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
          under.advance(100)
          const [again] = (await store.lease({ s: 10 }, 1_000)).leases
          await store.settle(settlementOf(again!, next))
          const told: number[] = []
          for (;;) {
            const { leases } = await store.lease({ s: 40 }, 1_000)
            if (leases.length === 0) break
            for (const lease of leases) {
              told.push(lease.seq)
              await store.settle(settlementOf(lease, 'done'))
            }
          }
          expect(told).toHaveLength(249)
          expect(told).toEqual(told.toSorted((left, right) => left - right))
        },
      )

      it('gives a delivery to another when its lease has run out, and refuses the late settlement', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = (await store.lease({ s: 1 }, 1_000)).leases
        under.advance(900)
        expect(await store.renew([first!], 1_000)).toEqual([true])
        under.advance(900)
        // Nobody else may ask before it is over.
        expect(await store.lease({ s: 1 }, 1_000)).toMatchObject({ leases: [], nextRetryInMs: 101 })
        under.advance(200)
        const [second] = (await store.lease({ s: 1 }, 1_000)).leases
        expect(second).toMatchObject({ attempt: 2, delivery: first!.delivery })
        expect(await store.renew([first!], 1_000)).toEqual([false])
        expect(
          await store.settle(settlementOf(first!, 'done', { keyValueWrites: [{ key: 'k', value: '1' }] })),
        ).toBe(false)
        expect(await store.keyValue('s', 'k')).toBeNull()
      })

      it('counts an attempt of all that may have been at work when nobody saw the end', async () => {
        await store.putScript('s', version, [{ type: 'NewInstance', callback: 'onNewInstance' }], null, 2)
        for (const [study, instance] of ['S1', 'S2', 'T3', 'U4'].map((name) => [name[0]!, name[1]!]))
          await store.record(arrivalOf({ study: study!, instance: instance! }))
        await store.lease({ s: 10 }, 1_000)
        under.advance(1_100)
        // The second of S comes after the first, which was tried.
        expect((await store.lease({ s: 10 }, 1_000)).leases.map(({ attempt }) => attempt)).toEqual([2, 2, 1])
        expect(await store.runs({ limit: 10 })).toMatchObject([
          { outcome: 'crashed', seq: 6 },
          { outcome: 'crashed', seq: 1 },
        ])
      })

      it('owes after a restart what had not been settled', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await store.lease({ s: 1 }, 60_000)
        store = await under.reopen()
        expect((await store.lease({ s: 1 }, 1_000)).leases).toMatchObject([{ attempt: 2 }])
      })

      it('costs a released delivery no attempt', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = (await store.lease({ s: 1 }, 1_000)).leases
        await store.settle(settlementOf(first!, 'release', { run: null }))
        expect((await store.lease({ s: 1 }, 1_000)).leases).toMatchObject([{ attempt: 1 }])
      })

      it('writes key-value memory with the settlement', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = (await store.lease({ s: 1 }, 1_000)).leases
        const keyValueWrites = [
          { key: 'a/1', value: '1' },
          { key: 'b', value: '2' },
        ]
        await store.settle(settlementOf(first!, 'done', { keyValueWrites }))
        const keys = async (query: Partial<Parameters<Store['keyValueList']>[1]>) => {
          const all = { prefix: '', after: '', limit: 10, mostBytes: 100 }
          return (await store.keyValueList('s', { ...all, ...query })).map(({ key, value }) => [key, value])
        }
        expect(await keys({ prefix: 'a/' })).toEqual([['a/1', '1']])
        expect(await keys({})).toHaveLength(2)
        expect(await keys({ mostBytes: 0 })).toHaveLength(1)
        expect(await keys({ limit: 1 })).toHaveLength(1)
        expect(await keys({ after: 'a/1' })).toEqual([['b', '2']])
        expect(await keys({ prefix: 'a/', after: 'a/1' })).toEqual([])
        await store.record(arrivalOf({ instance: 'odd' }))
        const [odd] = (await store.lease({ s: 1 }, 1_000)).leases
        const odds = [
          { key: 'odd\u{10ffff}x', value: '"😀😀"' },
          { key: 'odd%', value: '"ä"' },
        ]
        await store.settle(settlementOf(odd!, 'done', { keyValueWrites: odds }))
        expect((await keys({ prefix: 'odd' })).map(([key]) => key)).toEqual(['odd%', 'odd\u{10ffff}x'])
        expect(await keys({ prefix: 'odd', mostBytes: 3 })).toHaveLength(1)
        expect(await keys({ prefix: 'odd', mostBytes: 4 })).toHaveLength(2)
        const gone = odds.map(({ key }) => ({ key, value: null }))
        await store.record(arrivalOf({ instance: 'gone' }))
        const [last] = (await store.lease({ s: 1 }, 1_000)).leases
        await store.settle(settlementOf(last!, 'done', { keyValueWrites: gone }))
        expect(await store.keyValue('other', 'b')).toBeNull()
        expect(await store.keyValueBytes('s')).toBe(6)
        expect(await store.keyValueBytes('other')).toBe(0)
        await store.record(arrivalOf({ instance: '2' }))
        const [second] = (await store.lease({ s: 1 }, 1_000)).leases
        const more = [
          { key: 'a/1', value: '"ä"' },
          { key: 'b', value: null },
          { key: 'never there', value: null },
        ]
        await store.settle(settlementOf(second!, 'done', { keyValueWrites: more }))
        expect(await store.keyValueBytes('s')).toBe(7)
      })

      it('keeps what a parked script is owed, and serves it when it is back', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await store.parkScript('s')
        await store.record(arrivalOf({ instance: '2' }))
        expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
        await subscribe('s', 'NewInstance')
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(2)
      })

      it('forgets a parked script with its keys and what it is owed, and no other', async () => {
        await subscribe('s', 'NewInstance')
        await subscribe('other', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2' }))
        const [first] = (await store.lease({ s: 1, other: 1 }, 1_000)).leases
        const keyValueWrites = [{ key: 'a', value: '1' }]
        await store.settle(settlementOf(first!, 'done', { keyValueWrites }))
        expect(await store.forgetScript('s')).toBe(false)
        await store.parkScript('s')
        expect(await store.forgetScript('s')).toBe(true)
        expect(await store.forgetScript('s')).toBe(false)
        expect(await store.backlog()).toMatchObject([{ script: 'other', waiting: 1, leased: 1 }])
        expect((await store.scripts()).map(({ name }) => name)).toEqual(['other'])
        expect(await store.runs({ script: 's', limit: 10 })).toHaveLength(1)
        await subscribe('s', 'NewInstance')
        expect(await store.keyValue('s', 'a')).toBeNull()
        await store.record(arrivalOf({ instance: '3' }))
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(1)
      })

      it('knows nothing of a run that ends after its script was forgotten', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        const [first] = (await store.lease({ s: 1 }, 1_000)).leases
        await store.parkScript('s')
        await store.forgetScript('s')
        const keyValueWrites = [{ key: 'a', value: '1' }]
        await store.settle(settlementOf(first!, 'done', { keyValueWrites }))
        expect(await store.keyValue('s', 'a')).toBeNull()
      })

      it('pauses a script that is known, and says of others that there are none', async () => {
        await subscribe('s', 'NewInstance')
        expect(await store.pause('s')).toBe(true)
        expect(await store.pause('s')).toBe(true)
        expect(await store.pause('nobody')).toBe(false)
      })

      it('keeps what a suspended version is owed, until it is resumed or another one is in force', async () => {
        await subscribe('s', 'NewInstance')
        const [before] = await store.scripts()
        await store.record(arrivalOf({ instance: '1' }))
        await store.suspendScript('s', 'another version', 'not this one')
        expect((await store.scripts())[0]).toMatchObject({ state: 'active', suspension: null })
        await store.suspendScript('s', before!.version.hash, 'it does harm')
        expect((await store.lease({ s: 10 }, 1_000)).leases).toEqual([])
        await subscribe('s', 'NewInstance')
        store = await under.reopen()
        const [row] = await store.scripts()
        expect(row).toMatchObject({ state: 'suspended', suspension: { reason: 'it does harm' } })
        await store.resumeScript('s')
        expect((await store.scripts())[0]).toMatchObject({ state: 'active', suspension: null })
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(1)
        await store.suspendScript('s', before!.version.hash, 'again')
        await store.putScript('s', { ...before!.version, hash: 'next' }, before!.subscriptions)
        expect((await store.scripts())[0]).toMatchObject({ state: 'active', suspension: null })
      })

      it('has nothing to tell of a resource that is gone, but tells of its deletion', async () => {
        await subscribe('s', 'NewInstance', 'DeletedInstance')
        const { header } = arrivalOf({ instance: '1' })
        await store.record(arrivalOf({ instance: '1' }))
        await store.remove('Instance', header.ids.instance)
        const { leases } = await store.lease({ s: 10 }, 1_000)
        expect(leases.map(({ event }) => event && JSON.parse(event).tags)).toEqual([
          null,
          { SOPInstanceUID: header.sopInstanceUid },
        ])
      })

      it('sets a dead delivery aside and goes on with its key', async () => {
        await subscribe('s', 'NewInstance')
        await store.record(arrivalOf({ instance: '1' }))
        await store.record(arrivalOf({ instance: '2' }))
        const [first] = (await store.lease({ s: 1 }, 1_000)).leases
        await store.settle(
          settlementOf(first!, 'dead', { run: { ...wellRun, outcome: 'threw', reason: '"no"' } }),
        )
        expect((await store.lease({ s: 10 }, 1_000)).leases).toHaveLength(1)
        expect(await store.backlog()).toEqual([{ script: 's', waiting: 0, leased: 1, dead: 1, behind: 0 }])
      })
    })
  })
}
