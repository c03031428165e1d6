/** What the store's threads answer when something failed. */
import { fault, messageOf, OnStableError } from '../../errors.ts'
import { type WireError, wireError } from '../../lib/wire-error.ts'

/** Whether it is the disk that failed, and not what was asked. */
export function isDiskError(cause: unknown): boolean {
  if (cause instanceof OnStableError) return cause.code === 'storage-full'
  return /^(SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT)|E[A-Z]+$)/.test(codeOf(cause))
}

/** The disk is full, or may be: also files that are made and mapped beside the database need room. */
const isUnwritable = (cause: unknown): boolean =>
  /^(SQLITE_FULL|SQLITE_IOERR_(WRITE|TRUNCATE|FSYNC|DIR_FSYNC|SHM\w+)|ENOSPC|EDQUOT)$/.test(codeOf(cause))

const codeOf = (cause: unknown): string =>
  cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? '') : ''

/** What the caller is told: a full disk is his to free, everything else is the database's own fault. */
export function refused(cause: unknown): OnStableError {
  if (cause instanceof OnStableError) return cause
  if (isUnwritable(cause)) {
    const message = `The database cannot be written: ${messageOf(cause)}; free some space`
    return fault('storage-full', message, { cause })
  }
  return fault('internal', `The database refused an operation: ${messageOf(cause)}`, { cause })
}

/** The same, on its way between threads. */
export const refusal = (cause: unknown): WireError => wireError(refused(cause))
