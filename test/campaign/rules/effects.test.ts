/** The checker finds whatever is wrong with what the scripts did and remember. */
import { describe } from 'vitest'
import { broken, itFinds } from '../broken-worlds.ts'
import { recordScript, reportScript } from '../scripts.ts'

describe('an effect', () => {
  itFinds([
    broken('happens', ({ history }) => history.effects.pop(), /Change 22 had no effect/),
    broken(
      'is of a stable study',
      ({ history }) => history.effects.push({ ...history.effects[2]!, seq: 5, key: 'k', study: 'none' }),
      /names change 5, which is no stable study/,
    ),
    broken(
      'comes in the order of its study',
      ({ history }) => history.effects.reverse(),
      /first effect of change 14 came after that of 22/,
    ),
    broken(
      'has the same idempotency key when it happens again',
      ({ history }) => Object.assign(history.effects[1]!, { key: 'other', header: 'other' }),
      /Change 14 had two idempotency keys/,
    ),
    broken(
      'has the idempotency key of its event in its header',
      ({ history }) => (history.effects[2]!.header = 'other'),
      /Change 22 had two idempotency keys/,
    ),
    broken(
      'does not have the idempotency key of another',
      ({ history }) =>
        Object.assign(history.effects[2]!, { key: history.effects[0]!.key, header: history.effects[0]!.key }),
      /Change 22 has the idempotency key of another/,
    ),
    broken(
      'is about its study',
      ({ history }) => (history.effects[2]!.study = 'other'),
      /effect of change 22 names another study/,
    ),
    broken(
      'says what was so when the study became stable',
      ({ history }) => (history.effects[2]!.instances = 5),
      /Change 22 was told as revision 2 of 5 instances, and it is revision 2 of 4/,
    ),
    broken(
      'happens again only after a kill or a failure',
      ({ history }) => history.effects.push({ ...history.effects[2]! }),
      /Change 22 had 2 effects, though nothing had failed/,
    ),
    broken(
      'comes only when the study was quiet for its age',
      ({ history }) => (history.effects[2]!.receivedAtMs = 6_900),
      /An effect of change 22 came before the study was quiet/,
    ),
  ])
})

describe('the memory of a script', () => {
  itFinds([
    broken(
      'counts each delivery once',
      ({ seen }) => (seen.database.keyValues[0]!.value = 7),
      /memory says 7 of NewInstance:.*, and it was told 1/,
    ),
    broken(
      'loses nothing',
      ({ seen }) => seen.database.keyValues.shift(),
      /memory says undefined of NewInstance:.*, and it was told 1/,
    ),
    broken(
      'has nothing that it was not told',
      ({ seen }) => seen.database.keyValues.push({ script: recordScript, key: 'NewInstance:x', value: 1 }),
      /memory has NewInstance:x, and it was not told/,
    ),
    broken(
      'is its own',
      ({ seen }) => seen.database.keyValues.push({ script: reportScript, key: 'x', value: 1 }),
      /report.js has a memory of x, and it wrote nothing/,
    ),
  ])
})
