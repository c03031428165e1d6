/**
 * What will be done to the server: waves of arrivals, each with a kill at a moment of chance, the last one
 * without. The same settings make the same plan.
 */
import { type DoomedStudy, makeCast } from './cast.ts'
import { Draft, type Lane } from './draft.ts'
import type { Upload } from './history.ts'
import { randomFrom } from './random.ts'
import { type Trouble, troubleKinds, troublesOfOne } from './trouble.ts'

export interface PlanSettings {
  readonly seed: number
  readonly kills: number
  readonly instances: number
  /** How many have to be unstable at once; some more come and are deleted. */
  readonly studies: number
  /** Servers on one database. Default: one with its own. */
  readonly nodes?: number
}

export interface Kill {
  /** Since the wave began. */
  readonly afterMs: number
  /** Kills that follow while the server starts again: each after that part of the time that a start takes. */
  readonly startParts: readonly number[]
}

export interface Wave {
  readonly lanes: readonly Lane[]
  readonly kill: Kill | null
  readonly troubles: readonly Trouble[]
}

/** Half of the kills come while instances arrive, the others at any time up to long after windows have fired. */
const shareOfArrivalKills = 1 / 2
const latestKillMs = 6_000
const shareOfStartKills = 1 / 6
/** A deletion in a wave of its own comes when its study has become stable, or not yet. */
const latestDeletionMs = 2_500
/** In each wave. */
const mostTroubles = 4
const latestTroubleMs = 4_000
const longestTroubleMs = 3_500
const shareOfDuplicates = 0.06
const mostPerAssociation = 8

export function planWaves({ seed, kills, instances, studies, nodes = 1 }: PlanSettings): Wave[] {
  const random = randomFrom(seed)
  const killCounts = groupKills(kills, random)
  const draft = new Draft(killCounts.length + 1, random)
  const cast = makeCast({ instances, studies, waves: draft.waves }, random)
  for (const [wave, uploads] of cast.arrivals.entries()) {
    for (const batch of batchesOf(uploads, random)) planArrival(draft, wave, batch, random)
  }
  for (const study of cast.doomed) planDeletion(draft, study, random)
  return draft.lanes.map((lanes, wave) => {
    const count = killCounts[wave]
    const kill = count === undefined ? null : planKill(count, draft.spanMs(wave), random)
    return { lanes, kill, troubles: planTroubles(nodes === 1 ? troublesOfOne : troubleKinds, random) }
  })
}

/** How many kills belong to each wave: one, and those that hit the start after it. */
function groupKills(count: number, random: () => number): number[] {
  const groups: number[] = []
  for (let index = 0; index < count; index++) {
    if (index > 0 && random() < shareOfStartKills) groups[groups.length - 1]! += 1
    else groups.push(1)
  }
  return groups
}

function planKill(count: number, spanMs: number, random: () => number): Kill {
  const latestMs = random() < shareOfArrivalKills ? spanMs : latestKillMs
  return {
    afterMs: random() * latestMs,
    startParts: Array.from({ length: count - 1 }, random),
  }
}

function planTroubles(kinds: readonly Trouble['kind'][], random: () => number): Trouble[] {
  return Array.from({ length: Math.floor(random() * (mostTroubles + 1)) }, () => ({
    kind: kinds[Math.floor(random() * kinds.length)]!,
    afterMs: random() * latestTroubleMs,
    forMs: random() * longestTroubleMs,
    which: random(),
  }))
}

/** Some instances come twice: a wave or more later, or at the same moment from another client. */
function planArrival(draft: Draft, wave: number, batch: readonly Upload[], random: () => number): void {
  const { road } = batch[0]!
  const afterMs = random() * draft.spanMs(wave)
  const lane = draft.laneFor(road)
  draft.add(wave, lane, { afterMs, uploads: batch })
  for (const upload of batch.filter(() => random() < shareOfDuplicates)) {
    const later = wave + 1 + Math.floor(random() * (draft.waves - wave - 1))
    if (random() < 0.5 || later >= draft.waves)
      draft.add(wave, draft.laneFor(road, lane), { afterMs, uploads: [upload] })
    else draft.add(later, draft.laneFor(road), { afterMs: random() * draft.spanMs(later), uploads: [upload] })
  }
}

/** By the client that sent it, since nothing of it may come after its deletion; or in the next wave by any. */
function planDeletion(
  draft: Draft,
  { uploads, wave, deletedInWave }: DoomedStudy,
  random: () => number,
): void {
  const lane = draft.laneFor('http')
  const afterMs = random() * draft.spanMs(wave)
  const deletion = uploads[0]!.ids
  for (const upload of uploads) draft.add(wave, lane, { afterMs, uploads: [upload] })
  if (deletedInWave === wave) draft.add(wave, lane, { afterMs, deletion })
  else draft.add(deletedInWave, draft.laneFor('http'), { afterMs: random() * latestDeletionMs, deletion })
}

/** One by one over `http`, several together over `dicom`. */
function batchesOf(uploads: readonly Upload[], random: () => number): Upload[][] {
  const batches = uploads.filter(({ road }) => road === 'http').map((upload) => [upload])
  const dicom = uploads.filter(({ road }) => road === 'dicom')
  while (dicom.length > 0) batches.push(dicom.splice(0, 1 + Math.floor(random() * mostPerAssociation)))
  return batches
}
