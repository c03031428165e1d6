/** The ticking over a real store, on a clock that the test moves on. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startTicking } from '../../src/stability/stability.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], now: 0 })
})
afterEach(() => void vi.useRealTimers())

const startMs = 1_800_000_000_000

/** A store on the test's clock, and a ticking of it that counts its ticks. */
async function startOnStore(held: { readonly tick?: Promise<void> } = {}) {
  await using opening = new AsyncDisposableStack()
  const folder = opening.use(temporaryFolder())
  const store = opening.use(
    await openSqlite({ folder: folder.path, clock: () => startMs + Math.floor(performance.now()) }),
  )
  const ticks: number[] = []
  const firedAt: number[] = []
  const { log, lines } = keptLog()
  const tick: Store['tick'] = async () => {
    ticks.push(performance.now())
    await held.tick
    return await store.tick()
  }
  const ticking = opening.use(startTicking({ tick }, log, () => firedAt.push(performance.now())))
  await vi.advanceTimersByTimeAsync(0)
  const opened = opening.move()
  /** Records an arrival as the intake does, with an age for all levels. */
  const arrive = async (instance: string, ageMs: number) => {
    await store.record(arrivalOf({ instance, ageMs }))
    ticking.wake(ageMs)
  }
  const stable = async () =>
    (await store.changes({ limit: 100 })).changes.filter(({ type }) => type.startsWith('Stable')).length
  const end = { [Symbol.asyncDispose]: () => opened.disposeAsync() }
  return { store, ticking, ticks, firedAt, lines, arrive, stable, ...end }
}

test('a window fires when its age is over, and not before', async () => {
  await using opened = await startOnStore()
  await opened.arrive('1', 5_000)
  await vi.advanceTimersByTimeAsync(4_990)
  expect([await opened.stable(), opened.firedAt]).toEqual([0, []])
  await vi.advanceTimersByTimeAsync(20)
  expect(await opened.stable()).toBe(3)
  expect(opened.firedAt).toHaveLength(1)
  expect(opened.firedAt[0]).toBeGreaterThanOrEqual(5_000)
})

test('an arrival moves the end of the wait on', async () => {
  await using opened = await startOnStore()
  await opened.arrive('1', 5_000)
  await vi.advanceTimersByTimeAsync(4_000)
  await opened.arrive('2', 5_000)
  await vi.advanceTimersByTimeAsync(4_990)
  expect(await opened.stable()).toBe(0)
  await vi.advanceTimersByTimeAsync(20)
  expect(await opened.stable()).toBe(3)
})

test('a short age does not wait for the next look at a long one', async () => {
  await using opened = await startOnStore()
  await opened.arrive('1', 100_000)
  await vi.advanceTimersByTimeAsync(10_500)
  await opened.store.record(arrivalOf({ instance: '2', patient: 'P2', study: 'T', ageMs: 70 }))
  opened.ticking.wake(70)
  await vi.advanceTimersByTimeAsync(75)
  expect(await opened.stable()).toBe(3)
})

test('while a window is open silence is observed every second, and not much oftener', async () => {
  await using opened = await startOnStore()
  await opened.arrive('1', 60_000)
  const before = opened.ticks.length
  await vi.advanceTimersByTimeAsync(30_000)
  const gaps = opened.ticks.slice(before).map((at, index, all) => at - (all[index - 1] ?? at))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000)
  expect(gaps.length).toBeLessThan(35)
})

test('with no window open it sleeps for good, until it is woken', async () => {
  await using opened = await startOnStore()
  expect(opened.ticks).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(24 * 3_600_000)
  expect(opened.ticks).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
  opened.ticking.wake(10)
  await vi.advanceTimersByTimeAsync(10)
  expect(opened.ticks).toHaveLength(2)
})

test('a later wake does not take the place of an earlier one', async () => {
  await using opened = await startOnStore()
  opened.ticking.wake(300)
  opened.ticking.wake(900)
  await vi.advanceTimersByTimeAsync(300)
  expect(opened.ticks).toHaveLength(2)
  opened.ticking.wake(900)
  opened.ticking.wake(50)
  await vi.advanceTimersByTimeAsync(50)
  expect(opened.ticks).toHaveLength(3)
})

test('a wake during a tick is not lost', async () => {
  const gate = Promise.withResolvers<void>()
  await using opened = await startOnStore({ tick: gate.promise })
  opened.ticking.wake(200)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(opened.ticks).toEqual([0])
  gate.resolve()
  await vi.advanceTimersByTimeAsync(1)
  expect(opened.ticks).toHaveLength(2)
})

test('a tick that fails is logged, and tried again in a second', async () => {
  const failure = Promise.reject(new Error('the disk is full'))
  failure.catch(() => {})
  const held: { tick?: Promise<void> } = { tick: failure }
  await using opened = await startOnStore(held)
  expect(opened.lines).toMatchObject([{ reason: 'the disk is full' }])
  await vi.advanceTimersByTimeAsync(2_500)
  expect(opened.ticks).toEqual([0, 1_000, 2_000])
  delete held.tick
  await opened.arrive('1', 100)
  await vi.advanceTimersByTimeAsync(2_200)
  expect(await opened.stable()).toBe(3)
})

test('closing waits for the tick in hand, and nothing ticks after it', async () => {
  const gate = Promise.withResolvers<void>()
  await using opened = await startOnStore({ tick: gate.promise })
  let closed = false
  const closing = opened.ticking.close().then(() => {
    closed = true
  })
  await vi.advanceTimersByTimeAsync(100)
  expect(closed).toBe(false)
  opened.ticking.wake(0)
  gate.resolve()
  await closing
  opened.ticking.wake(0)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(opened.ticks).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})
