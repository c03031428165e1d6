/** Undoes what a rollback of the rows does not: files that were written. */
import type { Session } from './session.ts'

/** @param from what was done from this place of the list on */
export function undo({ onRollback }: Session, from: number): void {
  for (const act of onRollback.splice(from)) {
    try {
      act()
    } catch {
      // A file that stays is one without a row, which the next start removes.
    }
  }
}
