/**
 * Which instances there are, and in which wave each comes: studies that stay get some in every wave, so that
 * many are stable again and again; others come once and are deleted.
 */
import type { FileFacts } from '../support/dicom-files.ts'
import { newUpload, type Upload } from './history.ts'
import { shuffled } from './random.ts'

export interface CastSettings {
  readonly instances: number
  /** Studies that stay. */
  readonly studies: number
  readonly waves: number
}

export interface Cast {
  /** Of the studies that stay, by wave. */
  readonly arrivals: readonly (readonly Upload[])[]
  readonly doomed: readonly DoomedStudy[]
}

export interface DoomedStudy {
  readonly uploads: readonly Upload[]
  readonly wave: number
  /** The same wave, in which it is unstable, or the next. */
  readonly deletedInWave: number
}

const instancesPerDoomed = 3

/** How many instances a campaign needs at least, so that every study has some. */
export function fewestInstances(studies: number): number {
  return studies + instancesPerDoomed * doomedOf(studies)
}

export function makeCast({ instances, studies, waves }: CastSettings, random: () => number): Cast {
  const names = Array.from({ length: studies }, (_, index) => `S${index + 1}`)
  const patients: string[] = []
  for (const name of names) {
    const isOfOther = patients.length > 0 && random() < 0.4
    patients.push(isOfOther ? patients.at(-1)! : `P${name}`)
  }
  const counts = countsOf(instances - instancesPerDoomed * doomedOf(studies), studies, waves)
  const arrivals: Upload[][] = []
  let order: number[] = []
  let sent = 0
  for (const count of counts) {
    const uploads: Upload[] = []
    while (uploads.length < count) {
      if (order.length === 0) order = shuffled([...names.keys()], random)
      const study = order.pop()!
      uploads.push(makeUpload({ patient: patients[study]!, study: names[study]! }, ++sent, random))
    }
    arrivals.push(uploads)
  }
  const doomed = Array.from({ length: doomedOf(studies) }, (_, index): DoomedStudy => {
    // The first takes its patient with it, the second leaves it; both kinds are in every larger campaign.
    const isOfOther = index < 2 ? index === 1 : random() < 0.5
    const study = `D${index + 1}`
    const patient = isOfOther ? patients[Math.floor(random() * patients.length)]! : `P${study}`
    const wave = Math.floor(random() * waves)
    const isNext = wave + 1 < waves && random() < 0.5
    const uploads = Array.from({ length: instancesPerDoomed }, (_, place) =>
      makeUpload({ patient, study }, place, random, 'http'),
    )
    return { uploads, wave, deletedInWave: isNext ? wave + 1 : wave }
  })
  return { arrivals, doomed }
}

function doomedOf(studies: number): number {
  return Math.max(1, Math.round(studies / 10))
}

/** Instances of each wave: evenly, but every study is there from the first wave on. */
function countsOf(instances: number, studies: number, waves: number): number[] {
  const first = Math.max(studies, Math.ceil(instances / waves))
  const counts = [first]
  for (let left = waves - 1, rest = instances - first; left > 0; left--) {
    const count = Math.floor(rest / left)
    counts.push(count)
    rest -= count
  }
  return counts
}

function makeUpload(
  { patient, study }: { patient: string; study: string },
  number: number,
  random: () => number,
  road: Upload['road'] = random() < 0.6 ? 'http' : 'dicom',
): Upload {
  const isLarge = random() < 0.05
  const facts: FileFacts = {
    ...{ patient, study, series: ['A', 'B', 'C'][Math.floor(random() * 3)]!, instance: String(number) },
    place: number,
    pixelBytes: Math.ceil(random() * (isLarge ? 400_000 : 8_000)) * 2,
  }
  return newUpload(facts, road)
}
