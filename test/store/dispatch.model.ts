/**
 * Two dispatchers that lease, renew, end and forget deliveries in any order, while instances come, studies become
 * stable, scripts are paused, and the store is opened again: against a model of what is owed in which order.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ChangeType, KeyChoice, Lease, Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { wellRun } from '../support/run-records.ts'
import type { Worlds } from './worlds.ts'

const ttlMs = 1_000
const types: readonly ChangeType[] = ['NewInstance', 'StableStudy']
const version = { hash: 'v', code: '', sourceMap: '{}' }
const run = { ...wellRun, version: 'v' }

interface Owed {
  readonly seq: number
  readonly study: string
  readonly isStable: boolean
  state: 'waiting' | 'leased' | 'dead'
  attempt: number
  runAt: number
  until: number
  lease: Lease | null
}

/** What one script is owed, in the order in which it is to be told. */
class Model {
  owed: Owed[] = []
  cursor = 0
  isPaused = false
  key: KeyChoice = 'study'
  readonly concurrency: number
  /** Revisions that were finished, by study. */
  readonly finished = new Map<string, number>()

  follow(changes: readonly { seq: number; type: ChangeType }[], studyOf: (seq: number) => string): void {
    for (const { seq, type } of changes) {
      if (seq <= this.cursor) continue
      this.cursor = seq
      const isStable = type === 'StableStudy'
      const fresh = { state: 'waiting', attempt: 0, runAt: 0, until: 0, lease: null } as const
      this.owed.push({ seq, study: studyOf(seq), isStable, ...fresh })
    }
  }

  constructor(concurrency: number) {
    this.concurrency = concurrency
  }

  expire(nowMs: number): void {
    this.takeBack(({ until }) => until < nowMs)
  }

  /** Only the first of a key that is handed out can have been run, of as many keys as may be at a time. */
  takeBack(which: (owed: Owed) => boolean): void {
    const keys = new Set<string>()
    const leased = this.owed
      .filter(({ state }) => state === 'leased')
      .map((owed) => {
        const isFirst = !keys.has(this.keyOf(owed))
        keys.add(this.keyOf(owed))
        return { owed, wasRun: isFirst && keys.size <= this.concurrency }
      })
    for (const { owed, wasRun } of leased) {
      if (which(owed)) Object.assign(owed, { state: 'waiting', attempt: owed.attempt - (wasRun ? 0 : 1) })
    }
  }

  /** The next that may be handed out: of each study in order, nothing past one that was tried and has not ended. */
  next(count: number, nowMs: number): Owed[] {
    if (this.isPaused) return []
    const held = new Set<string>()
    const stable = new Set<string>()
    const late = new Set<string>()
    const found: Owed[] = []
    for (const each of this.owed) {
      const key = this.keyOf(each)
      if (each.state === 'dead' || held.has(key)) continue
      if (each.state === 'leased' || each.runAt > nowMs || each.attempt > 0) held.add(key)
      if (each.state === 'leased' || each.runAt > nowMs) continue
      if (found.push(each) === count) break
    }
    return found.filter((each) => {
      const { study, isStable } = each
      if (late.has(this.keyOf(each))) return false
      if (!isStable) return true
      if (stable.has(study)) late.add(this.keyOf(each))
      return !late.has(this.keyOf(each)) && stable.add(study)
    })
  }

  /** All studies are of one patient. */
  keyOf({ study, seq, isStable }: Owed): string {
    if (this.key === 'patient') return 'P'
    return this.key === 'none' && !isStable ? String(seq) : study
  }
}

const revisionOf = ({ event }: Lease): number => JSON.parse(event!).revision

const dispatcher = fc.constantFrom('a' as const, 'b' as const)
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('arrive' as const), study: fc.nat(1), instance: fc.nat(40) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(10, 400, 400, 1_100) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('lease' as const),
      by: dispatcher,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      by: dispatcher,
      which: fc.nat(5),
      next: fc.constantFrom(
        'done' as const,
        'done' as const,
        'done' as const,
        'done' as const,
        'retry' as const,
        'dead' as const,
        'release' as const,
      ),
      delayMs: fc.constantFrom(0, 300, 2_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), by: dispatcher }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pause' as const), on: fc.constantFrom(true, false, false) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('choose key' as const),
      key: fc.constantFrom('study' as const, 'patient' as const, 'none' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retry dead' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop dead' as const) }) },
)

const commandsOfAny = fc.array(command, { minLength: 20, maxLength: 80 })

export function dispatchModel({ name, runs, begin }: Worlds): void {
  it(
    `on ${name} two dispatchers get exactly what the model says, and nothing is taken back but what is theirs`,
    async () => {
      await fc.assert(
        fc.asyncProperty(commandsOfAny, fc.integer({ min: 1, max: 3 }), async (commands, concurrency) => {
          let nowMs = 1_800_000_000_000
          await using world = await begin(() => nowMs)
          const open = () => world.open()
          let store: Store = await open()
          await using stack = new AsyncDisposableStack()
          stack.defer(() => store.close())
          const put = (key: KeyChoice) =>
            store.putScript(
              's',
              version,
              types.map((type) => ({ type, callback: 'onChange', key })),
              null,
              concurrency,
            )
          await put('study')
          const model = new Model(concurrency)
          const studies = new Map<string, string>()
          const hands = { a: [] as Owed[], b: [] as Owed[] }
          const leasesOf = (owed: readonly Owed[]) =>
            owed.flatMap(({ lease }) => (lease === null ? [] : [lease]))

          for (const step of commands) {
            switch (step.do) {
              case 'arrive': {
                const study = `S${step.study}`
                const arrival = arrivalOf({ study, instance: String(step.instance), ageMs: 300 })
                studies.set(arrival.header.ids.instance, study).set(arrival.header.ids.study, study)
                await store.record(arrival)
                break
              }
              case 'pass':
                for (let left = step.ms; left > 0; left -= 100) {
                  nowMs += Math.min(100, left)
                  await store.tick()
                }
                break
              case 'lease': {
                await follow()
                model.expire(nowMs)
                const expected = model.next(step.count, nowMs)
                const { leases } = await store.lease({ s: step.count }, ttlMs)
                expect(leases.map(({ seq, attempt }) => [seq, attempt])).toEqual(
                  expected.map(({ seq, attempt }) => [seq, attempt + 1]),
                )
                for (const [at, owed] of expected.entries()) {
                  const lease = leases[at]!
                  if (owed.isStable) expectLate(lease, owed.study)
                  Object.assign(owed, {
                    state: 'leased',
                    attempt: owed.attempt + 1,
                    until: nowMs + ttlMs,
                    lease,
                  })
                  // Somebody may still hold an older lease of it: what that one says counts no more.
                  hands[step.by].push({ ...owed })
                }
                break
              }
              case 'settle': {
                const hand = hands[step.by]
                if (hand.length === 0) break
                const [{ seq, lease }] = hand.splice(step.which % hand.length, 1) as [Owed]
                const { delivery, fence } = lease!
                const outcome = step.next === 'done' ? ('ok' as const) : ('threw' as const)
                const settled = await store.settle({
                  delivery,
                  fence,
                  next: step.next,
                  delayMs: step.delayMs,
                  run: step.next === 'release' ? null : { ...run, outcome },
                  keyValueWrites: [],
                })
                const owed = model.owed.find((each) => each.seq === seq)
                const isOurs = owed?.state === 'leased' && owed.lease?.fence === fence
                expect(settled).toBe(isOurs)
                if (isOurs) settle(owed, step.next, step.delayMs)
                break
              }
              case 'renew': {
                const leases = leasesOf(hands[step.by])
                const renewed = await store.renew(leases, ttlMs)
                for (const [at, { seq, fence }] of leases.entries()) {
                  const owed = model.owed.find((each) => each.seq === seq)
                  const isOurs = owed?.state === 'leased' && owed.lease?.fence === fence
                  expect(renewed[at]).toBe(isOurs)
                  if (isOurs) owed.until = nowMs + ttlMs
                }
                break
              }
              case 'reopen': {
                await store.close()
                store = await open()
                await store.keptFiles(0)
                await store.restoreRows(async () => true)
                model.takeBack(() => true)
                break
              }
              case 'pause':
                model.isPaused = step.on
                await (model.isPaused ? store.pause('s') : store.unpause('s'))
                break
              case 'choose key':
                model.key = step.key
                await put(step.key)
                break
              case 'retry dead': {
                const dead = model.owed.filter(({ state }) => state === 'dead')
                expect(await store.retryDead('s')).toBe(dead.length)
                for (const owed of dead)
                  Object.assign(owed, { state: 'waiting', attempt: 0, runAt: 0, lease: null })
                break
              }
              case 'drop dead': {
                const dead = model.owed.filter(({ state }) => state === 'dead')
                expect(await store.dropDead('s')).toBe(dead.length)
                model.owed = model.owed.filter(({ state }) => state !== 'dead')
                break
              }
              default:
                step satisfies never
            }
          }
          await follow()
          const [backlog] = await store.backlog()
          const count = (state: Owed['state']) => model.owed.filter((each) => each.state === state).length
          expect(backlog!.dead).toBe(count('dead'))
          expect(backlog!.leased).toBe(count('leased'))

          async function follow() {
            const { changes } = await store.changes({ since: model.cursor, limit: 1_000, types })
            const ids = new Map(changes.map(({ seq, id }) => [seq, id]))
            model.follow(changes, (seq) => studies.get(ids.get(seq)!)!)
          }
          function settle(owed: Owed, next: 'done' | 'retry' | 'dead' | 'release', delayMs: number) {
            if (next === 'done') {
              model.owed = model.owed.filter((each) => each !== owed)
              if (owed.isStable) {
                const finished = Math.max(model.finished.get(owed.study) ?? 0, revisionOf(owed.lease!))
                model.finished.set(owed.study, finished)
              }
            } else if (next === 'retry') Object.assign(owed, { state: 'waiting', runAt: nowMs + delayMs })
            else if (next === 'dead') owed.state = 'dead'
            else Object.assign(owed, { state: 'waiting', attempt: owed.attempt - 1 })
          }
          function expectLate(lease: Lease, study: string) {
            const finished = model.finished.get(study) ?? 0
            const revision = revisionOf(lease)
            // One that was tried again by hand after a later one was finished tells what it alone brought.
            expect(lease.late!.sinceRevision).toBe(finished >= revision ? revision - 1 : finished)
          }
        }),
        { numRuns: runs, seed: 20_261_126 },
      )
    },
    60_000 + runs * 2_000,
  )
}
