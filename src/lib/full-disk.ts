/** What a full disk of the DICOM files is called, whoever was writing. */
import { fault, isSystemError } from '../errors.ts'

/** Nothing is wrong with the disk: it has no room. */
export const isFullDisk = (thrown: unknown): boolean => isSystemError(thrown, 'ENOSPC', 'EDQUOT')

/** Throws what a write threw, with advice if the disk is full. */
export function refuseFullDisk(cause: unknown): never {
  if (isFullDisk(cause)) {
    throw fault('storage-full', 'The disk of the DICOM files is full: make room, then send again', { cause })
  }
  throw cause
}
