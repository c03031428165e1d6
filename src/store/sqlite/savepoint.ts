/** Parts of a transaction that can fail alone, and what a rollback of the rows does not undo: files. */
import type { Session } from './session.ts'

/** Removes files that were written. @param from what was done from this place of the list on */
export function undo({ onRollback }: Session, from: number): void {
  for (const act of onRollback.splice(from)) {
    try {
      act()
    } catch {
      // A file that stays is one without a row, which the next start removes.
    }
  }
}

/**
 * Does a part of a transaction that can fail alone: its rows are then as they were before it.
 * @param onFailed what comes of it; to be undone besides: the files that it wrote
 */
export function inSavepoint<T>(
  session: Session,
  run: () => T,
  onFailed: (cause: unknown, undoFiles: () => void) => T,
): T {
  session.sql('savepoint part').run()
  const undoneFrom = session.onRollback.length
  try {
    const value = run()
    session.sql('release part').run()
    return value
  } catch (cause) {
    // A full disk may have ended the whole transaction already.
    if (!session.database.inTransaction) throw cause
    session.sql('rollback to part').run()
    session.sql('release part').run()
    return onFailed(cause, () => undo(session, undoneFrom))
  }
}

/**
 * Does parts of a transaction of which each can fail alone. That is rare, and a savepoint costs as much as a
 * small part: all are done at once, and only if one fails is all undone and done again, one after the other.
 * @param run does some parts, in their order
 */
export function eachInSavepoint<Part, T>(
  session: Session,
  parts: readonly Part[],
  run: (parts: readonly Part[]) => T[],
  onFailed: (part: Part, cause: unknown, undoFiles: () => void) => T,
): T[] {
  const oneByOne = () =>
    parts.map((part) =>
      inSavepoint<T>(
        session,
        () => run([part])[0]!,
        (cause, undoFiles) => onFailed(part, cause, undoFiles),
      ),
    )
  if (parts.length < 2) return oneByOne()
  return inSavepoint(
    session,
    () => run(parts),
    (_, undoFiles) => {
      undoFiles()
      return oneByOne()
    },
  )
}
