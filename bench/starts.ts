/** Changes at a steady pace, and how soon after the commit of each the callbacks begin that are told of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { arrivalOf } from '../test/support/arrivals.ts'
import { type DispatchStage, type StageScript, startStage } from './dispatch-stage.ts'

const usual = 'console.log(Date.now())'
export const scriptsNamed = (count: number, body = usual): StageScript[] =>
  Array.from({ length: count }, (_, at) => ({ name: `s${at}`, callback: 'onStoredInstance', body }))

/** Makes the n-th change, and says whom it is about. */
export type MakeChange = (store: DispatchStage['store'], number: number) => Promise<string>

export interface Pace {
  readonly make: MakeChange
  readonly perSecond: number
  readonly seconds: number
  /** Scripts that are told of each change, and looked at. */
  readonly toldEach: number
  /** Each somewhere in its turn instead of at its beginning, so that nothing periodic keeps step with them. */
  readonly isUneven?: boolean
}

export const ofStudy = (number: number) =>
  arrivalOf({ study: `S${number}`, patient: `P${number}`, instance: '1', ageMs: 3_600_000 })

export const newInstance: MakeChange = async (store, number) => {
  const arrival = ofStudy(number)
  await store.record(arrival)
  return arrival.header.ids.instance
}

export const goneOf = (id: string) => `gone ${id}`

interface Start {
  /** From the commit. */
  readonly lateMs: number
  /** When the commit was, from the first on. */
  readonly sinceMs: number
}

/** Makes the changes, and says of each run that was told of one when it began. */
export async function startsAfter(
  scripts: readonly StageScript[],
  { make, perSecond, seconds, toldEach, isUneven = false }: Pace,
  counted: (script: string) => boolean = () => true,
): Promise<Start[]> {
  const committedAtMs = new Map<string, number>()
  let ended = 0
  const begun: { readonly id: string; readonly atMs: number }[] = []
  await using stage = await startStage({
    scripts,
    onEnd({ resource, script, callback }, { run }) {
      const [line] = JSON.parse(run?.logs ?? '[]') as { text: string }[]
      if (!counted(script)) return
      ended++
      // It was deleted before its turn came.
      if (line === undefined) return
      const id = callback === 'onDeletedInstance' ? goneOf(resource!.id) : resource!.id
      begun.push({ id, atMs: Number(line.text) + 0.5 })
    },
  })
  await recordAll(stage, 20, 'WARM')
  await delay(500)
  begun.length = 0
  ended = 0
  const firstMs = performance.now()
  const total = perSecond * seconds
  let previous = Promise.resolve()
  for (let n = 0; n < total; n++) {
    await delay(
      Math.max(0, firstMs + ((n + (isUneven ? Math.random() : 0)) * 1_000) / perSecond - performance.now()),
    )
    // Each behind the one before it, which it may be about.
    previous = previous
      .then(() => make(stage.store, n))
      .then((about) => {
        committedAtMs.set(about, performance.timeOrigin + performance.now())
        stage.wake()
      })
  }
  while (ended < total * toldEach) await delay(20)
  return begun.map(({ id, atMs }) => {
    const committedMs = committedAtMs.get(id)!
    return { lateMs: atMs - committedMs, sinceMs: committedMs - performance.timeOrigin - firstMs }
  })
}

/** So many instances of studies of their own, hundreds at a time. */
export async function recordAll({ store, wake }: DispatchStage, count: number, name: string): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    const some = Array.from({ length: Math.min(500, count - first) }, (_, at) =>
      arrivalOf({
        study: `${name}${first + at}`,
        patient: `${name}${first + at}`,
        instance: '1',
        ageMs: 3_600_000,
      }),
    )
    await Promise.all(some.map((arrival) => store.record(arrival)))
    wake()
  }
}
