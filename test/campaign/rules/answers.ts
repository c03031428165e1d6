/** Every request was answered, and rightly, unless the server was killed under it. */
import { type History, isCutOff } from '../history.ts'

export function checkAnswers({ uploads, deletions, lives, outages, cuts, surprises }: History): string[] {
  const violations = [...surprises]
  for (const [name, { attempts }] of [
    ...uploads.map((upload) => [`Instance ${upload.ids.Instance}`, upload] as const),
    ...deletions.map((deletion) => [`The deletion of study ${deletion.ids.Study}`, deletion] as const),
  ]) {
    if (
      attempts.some((attempt) => attempt.answer === null && !isCutOff(attempt, lives, [...outages, ...cuts]))
    )
      violations.push(`${name} had no answer though the server lived`)
    const held = attempts.find(({ answer }) => answer === 'AlreadyStored')
    const isFirst =
      held !== undefined && !attempts.some((other) => other !== held && other.sentAtMs <= held.endedAtMs)
    if (isFirst) violations.push(`${name} was said to be there already when it came first`)
    const successes = attempts.filter(({ answer }) => answer === 'Success').length
    if (successes > 1) violations.push(`${name} was taken for new ${successes} times`)
  }
  return violations
}
