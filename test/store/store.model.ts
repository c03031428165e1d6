/**
 * Random arrivals, ages, deletions, forcings and passages of time, against a model of a few lines that says
 * when each resource has to be stable.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Age, heldElsewhere, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import type { Worlds } from './worlds.ts'

interface ModelWindow {
  openedAt: number
  lastAt: number
  ageMs: number
  maxWaitMs: number | null
  elsewhere: boolean
}

/** Study → series → window; a study's own window is under ''. */
class Model {
  readonly windows = new Map<string, ModelWindow>()
  /** `key@time` of each firing. */
  readonly fired: string[] = []
  /** Whether each is held elsewhere. */
  readonly instances = new Map<string, boolean>()
  /** Up to when announcements were followed; null: nobody does. */
  caughtUpAt: number | null = null

  arrive(
    study: string,
    series: string,
    instance: string,
    nowMs: number,
    ages: Record<'Series' | 'Study', Age>,
    elsewhere: boolean,
  ) {
    const name = `${study}.${series}.${instance}`
    // One that is held elsewhere gives way to one that comes with its bytes.
    if (this.instances.has(name) && (elsewhere || this.instances.get(name) === false)) return
    this.instances.set(name, elsewhere)
    for (const key of [`${study}.${series}`, study]) {
      const { ageMs, maxWaitMs } = key === study ? ages.Study : ages.Series
      const window = this.windows.get(key)
      if (window === undefined)
        this.windows.set(key, { openedAt: nowMs, lastAt: nowMs, ageMs, maxWaitMs, elsewhere })
      else {
        window.elsewhere ||= elsewhere
        window.lastAt = nowMs
        window.ageMs = Math.max(window.ageMs, ageMs)
        if (maxWaitMs !== null) window.maxWaitMs = Math.min(window.maxWaitMs ?? maxWaitMs, maxWaitMs)
      }
    }
  }

  remove(study: string) {
    for (const key of [...this.windows.keys()])
      if (key === study || key.startsWith(`${study}.`)) this.windows.delete(key)
    for (const name of [...this.instances.keys()])
      if (name.startsWith(`${study}.`)) this.instances.delete(name)
  }

  fire(key: string, nowMs: number) {
    for (const other of [...this.windows.keys()].sort()) {
      if (other.startsWith(`${key}.`)) this.fire(other, nowMs)
    }
    this.windows.delete(key)
    this.fired.push(`${key}@${nowMs}`)
  }

  /** What is due at a time at which the silence has been observed throughout. */
  settle(nowMs: number) {
    for (let again = true; again; ) {
      again = false
      for (const [key, window] of [...this.windows].sort().reverse()) {
        if (!this.windows.has(key)) continue
        const { openedAt, lastAt, ageMs, maxWaitMs, elsewhere } = window
        const isBehind = elsewhere && this.caughtUpAt !== null && this.caughtUpAt < lastAt + ageMs
        const quiet = lastAt + ageMs <= nowMs && !isBehind
        const late = maxWaitMs !== null && openedAt + maxWaitMs <= nowMs
        const below = [...this.windows.keys()].some((other) => other.startsWith(`${key}.`))
        if (late || (quiet && !below)) {
          this.fire(key, nowMs)
          again = true
        }
      }
    }
  }
}

const age = fc.record({
  ageMs: fc.constantFrom(200, 500, 1_000),
  maxWaitMs: fc.constantFrom(null, null, 700),
})

const patientAge: Age = { ageMs: 3_600_000, maxWaitMs: null }

const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      study: fc.nat(1),
      series: fc.nat(2),
      instance: fc.nat(30),
      ages: fc.record({ Series: age, Study: age }),
      elsewhere: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 700 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), study: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), study: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('follow' as const), isCaughtUp: fc.boolean() }) },
)

export function storeModel({ name, runs, begin }: Worlds): void {
  it(
    `on ${name} each study and series fires exactly when the model says, whatever happens`,
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
          let nowMs = 1_800_000_000_000
          await using world = await begin(() => nowMs)
          await using store = await world.open()
          const model = new Model()
          const names = new Map<string, string>()
          // Long enough for the silence since the start to count as observed.
          for (let n = 0; n < 11; n++) {
            await store.tick()
            nowMs += 1_000
          }
          for (const step of commands) {
            switch (step.do) {
              case 'arrive': {
                const facts = {
                  study: `S${step.study}`,
                  series: `A${step.series}`,
                  instance: String(step.instance),
                }
                // The model has no patients: theirs never become due.
                const arrival = arrivalOf({
                  ...facts,
                  patient: facts.study,
                  age: { ...step.ages, Patient: patientAge },
                })
                names.set(arrival.header.ids.study, facts.study)
                names.set(arrival.header.ids.series, `${facts.study}.${facts.series}`)
                await store.record(step.elsewhere ? { ...arrival, file: heldElsewhere } : arrival)
                const { study, series, instance } = facts
                model.arrive(study, series, instance, nowMs, step.ages, step.elsewhere)
                break
              }
              case 'pass':
                // In steps of at most 100 ms, as a server ticks; the model settles at the same instants.
                for (let left = step.ms; left > 0; left -= 100) {
                  nowMs += Math.min(100, left)
                  await tickAll(store)
                  model.settle(nowMs)
                }
                break
              case 'force': {
                const { ids } = arrivalOf({
                  study: `S${step.study}`,
                  patient: `S${step.study}`,
                  instance: '0',
                }).header
                if (await store.forceStable('Study', ids.study)) model.fire(`S${step.study}`, nowMs)
                break
              }
              case 'remove': {
                const { ids } = arrivalOf({
                  study: `S${step.study}`,
                  patient: `S${step.study}`,
                  instance: '0',
                }).header
                await store.remove('Study', ids.study)
                model.remove(`S${step.study}`)
                break
              }
              case 'follow':
                await store.observeAnnouncements(step.isCaughtUp ? nowMs : null)
                model.caughtUpAt = step.isCaughtUp ? nowMs : (model.caughtUpAt ?? 0)
                break
              default:
                step satisfies never
            }
          }
          const page = await store.changes({ limit: 10_000, types: ['StableSeries', 'StableStudy'] })
          const fired = page.changes.map(({ id, atMs }) => `${names.get(id)}@${atMs}`)
          expect([...fired].sort()).toEqual([...model.fired].sort())
          const windows = await store.windows(100)
          const open = windows.filter(({ level }) => level !== 'Patient').map(({ id }) => names.get(id))
          expect(open.sort()).toEqual([...model.windows.keys()].sort())
        }),
        { numRuns: runs, seed: 20_261_124 },
      )
    },
    60_000 + runs * 2_000,
  )
}

async function tickAll(store: Store): Promise<void> {
  for (let report = await store.tick(); report.nextCheckInMs === 0; report = await store.tick());
}
