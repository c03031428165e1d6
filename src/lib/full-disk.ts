/** What a full disk of the DICOM files is called, whoever was writing. */
import { fault, isSystemError } from '../errors.ts'

/** Throws what a write threw, with advice if the disk is full. */
export function refuseFullDisk(cause: unknown): never {
  if (isSystemError(cause, 'ENOSPC', 'EDQUOT')) {
    throw fault('storage-full', 'The disk of the DICOM files is full: make room, then send again', { cause })
  }
  throw cause
}
