/** Which age and which longest wait an arrival gives its series, study and patient. */
import { expect, test } from 'vitest'
import { readSettings, type Settings } from '../../src/config.ts'
import { createAges } from '../../src/stability/stability.ts'
import { arrivalOf, restOrigin } from '../support/arrivals.ts'

type Rule = Settings['stability'][number]

/** The ages of one arrival, in seconds: `[age, longest wait]` by level. */
function agesWith(rules: Rule[], facts: { modality?: string; remoteAet?: string } = {}, given = {}) {
  const settings = readSettings({ stableAge: 60, stability: rules, ...given }, {}, null)
  const { header } = arrivalOf({ instance: '1', modality: facts.modality ?? 'CT' })
  const ages = createAges(settings).agesOf(header, { ...restOrigin, remoteAet: facts.remoteAet ?? '' })
  const seconds = ({ ageMs, maxWaitMs }: { ageMs: number; maxWaitMs: number | null }) =>
    [ageMs / 1_000, maxWaitMs === null ? null : maxWaitMs / 1_000] as const
  return { patient: seconds(ages.Patient), study: seconds(ages.Study), series: seconds(ages.Series) }
}

const all = (age: number, maxWait: number | null = null) => ({
  patient: [age, maxWait],
  study: [age, maxWait],
  series: [age, maxWait],
})

test('without rules the general age holds at every level, to the millisecond', () => {
  expect(agesWith([])).toEqual(all(60))
  expect(agesWith([], {}, { stableAge: 0.0124, maxWait: 7.5 })).toEqual(all(0.012, 7.5))
})

test('a rule for a level holds there alone, and may be shorter than the general age', () => {
  expect(agesWith([{ level: 'series', stableAge: 5 }])).toEqual({ ...all(60), series: [5, null] })
  expect(agesWith([{ level: 'study', stableAge: 90, maxWait: 600 }])).toEqual({
    ...all(60),
    study: [90, 600],
  })
  expect(agesWith([{ level: 'patient', stableAge: 300 }])).toEqual({ ...all(60), patient: [300, null] })
})

test('a rule for a modality or a sender holds for its arrivals, at every level', () => {
  const rules = [
    { modality: 'CR', stableAge: 5 },
    { remoteAet: 'CT1', stableAge: 120 },
  ]
  expect(agesWith(rules, { modality: 'CR' })).toEqual(all(5))
  expect(agesWith(rules, { modality: 'CT', remoteAet: 'CT1' })).toEqual(all(120))
  expect(agesWith(rules, { modality: 'MR', remoteAet: 'MR1' })).toEqual(all(60))
})

test('all conditions of a rule have to hold', () => {
  const rules: Rule[] = [{ level: 'study', modality: 'CT', remoteAet: 'CT1', stableAge: 200 }]
  expect(agesWith(rules, { modality: 'CT', remoteAet: 'CT1' })).toEqual({ ...all(60), study: [200, null] })
  expect(agesWith(rules, { modality: 'CT', remoteAet: 'CT2' })).toEqual(all(60))
  expect(agesWith(rules, { modality: 'MR', remoteAet: 'CT1' })).toEqual(all(60))
})

test('of several rules that match the longest age and the shortest wait count, wherever they stand', () => {
  const rules: Rule[] = [
    { modality: 'CT', stableAge: 100, maxWait: 500 },
    { remoteAet: 'CT1', stableAge: 30, maxWait: 400 },
    { level: 'series', stableAge: 200, maxWait: 900 },
  ]
  const facts = { modality: 'CT', remoteAet: 'CT1' }
  const expected = { ...all(100, 400), series: [200, 400] }
  expect(agesWith(rules, facts)).toEqual(expected)
  expect(agesWith([...rules].reverse(), facts)).toEqual(expected)
})

test('a rule that says only one of age and wait leaves the other as it is in general', () => {
  const rules: Rule[] = [
    { modality: 'CT', maxWait: 300 },
    { modality: 'MR', stableAge: 20 },
  ]
  expect(agesWith(rules, { modality: 'CT' }, { maxWait: 800 })).toEqual(all(60, 300))
  expect(agesWith(rules, { modality: 'MR' }, { maxWait: 800 })).toEqual(all(20, 800))
  expect(agesWith(rules, { modality: 'US' }, { maxWait: 800 })).toEqual(all(60, 800))
})

test('a series without modality matches no rule that asks for one', () => {
  const settings = readSettings({ stability: [{ modality: 'CT', stableAge: 5 }] }, {}, null)
  const { header } = arrivalOf({ instance: '1' })
  const { Modality: _, ...series } = header.tags.series
  const bare = { ...header, tags: { ...header.tags, series } }
  expect(createAges(settings).agesOf(bare, restOrigin).Study.ageMs).toBe(60_000)
})

test('what is made unstable by hand has the age of its level, whatever rules say of senders', () => {
  const rules: Rule[] = [
    { level: 'study', stableAge: 90 },
    { modality: 'CT', stableAge: 300 },
    { remoteAet: 'CT1', stableAge: 400 },
  ]
  const { ageOf } = createAges(readSettings({ stableAge: 60, stability: rules }, {}, null))
  expect([ageOf('Patient'), ageOf('Study'), ageOf('Series')].map(({ ageMs }) => ageMs)).toEqual([
    60_000, 90_000, 60_000,
  ])
})
