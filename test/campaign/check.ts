/**
 * The checker: compares what a client did and was told with what there is to see afterwards. It shares no
 * code with the engine. Each rule says in plain words what was broken, or nothing.
 */
import type { History } from './history.ts'
import type { Observation } from './observe.ts'
import { checkAnswers } from './rules/answers.ts'
import { checkDeliveries } from './rules/deliveries.ts'
import { checkEffects } from './rules/effects.ts'
import { checkInstances } from './rules/instances.ts'
import { checkKeyValues } from './rules/key-values.ts'
import { checkLog } from './rules/log.ts'
import { checkMissedSilence } from './rules/missed-silence.ts'
import { checkNews } from './rules/news.ts'
import { checkQuietPeriods } from './rules/quiet-periods.ts'
import { checkResources } from './rules/resources.ts'
import { checkStorage } from './rules/storage.ts'

export type Rule = (history: History, seen: Observation) => string[]

const rules: readonly Rule[] = [
  checkAnswers,
  checkInstances,
  checkStorage,
  checkResources,
  checkLog,
  checkNews,
  checkQuietPeriods,
  checkMissedSilence,
  checkDeliveries,
  checkEffects,
  checkKeyValues,
]

/** @returns the violations; the server has to be idle, with nothing unstable and nothing owed */
export function check(history: History, seen: Observation): string[] {
  return rules.flatMap((rule) => rule(history, seen))
}
