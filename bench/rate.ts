/** How soon callbacks begin after the commit, with 500 deliveries a second. */
import type { StageScript } from './dispatch-stage.ts'
import { quantile, shown } from './figures.ts'
import type { Notebook } from './report.ts'
import {
  goneOf,
  type MakeChange,
  newInstance,
  ofStudy,
  type Pace,
  scriptsNamed,
  startsAfter,
} from './starts.ts'

export const rateMethod = [
  '"500/s": a hundred changes a second over 20 scripts: instances that come, series and studies that become stable,',
  'instances that are deleted, each kind told to five of them. "In bursts": 25 instances a second, each told to all 20.',
  'The store, the runtime and the dispatch of the server, in this process, with its child process as it is in service.',
  'From the answer of the store, which has committed then, to the moment that the callback reads from its own clock,',
  'which counts whole milliseconds: half of one is added.',
]

/** Of each instance, four changes one after the other. */
const oneOfFour: MakeChange = async (store, number) => {
  const of = Math.floor(number / 4)
  const { ids } = ofStudy(of).header
  switch (number % 4) {
    case 0:
      return await newInstance(store, of)
    case 1:
      await store.forceStable('Series', ids.series)
      return ids.series
    case 2:
      await store.forceStable('Study', ids.study)
      return ids.study
    default:
      await store.remove('Instance', ids.instance)
      return goneOf(ids.instance)
  }
}

export async function measureRate(
  notebook: Notebook,
  says: (text: string) => void,
  seconds: number,
): Promise<void> {
  const kinds = ['onStoredInstance', 'onStableSeries', 'onStableStudy', 'onDeletedInstance'] as const
  const mixed = scriptsNamed(20).map((script, at) => ({ ...script, callback: kinds[at % 4]! }))
  const paces: [string, readonly StageScript[], Pace][] = [
    ['500/s', mixed, { make: oneOfFour, perSecond: 100, seconds, toldEach: 5 }],
    ['500/s in bursts', scriptsNamed(20), { make: newInstance, perSecond: 25, seconds, toldEach: 20 }],
  ]
  for (const [name, scripts, pace] of paces) {
    const lateMs = (await startsAfter(scripts, pace)).map((start) => start.lateMs)
    const [half, most] = [quantile(lateMs, 0.5), quantile(lateMs, 0.99)]
    notebook.note(`${name}, commit to start, median`, 'ms', 'OnStable', half, { of: 'value', atMost: 2 })
    notebook.note(`${name}, commit to start, p99`, 'ms', 'OnStable', most, { of: 'value', atMost: 25 })
    says(`${name}: ${shown(half)} ms, p99 ${shown(most)} ms, of ${lateMs.length} deliveries`)
  }
}
