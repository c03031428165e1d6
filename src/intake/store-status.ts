/** What a sender by C-STORE is told (PS3.4, table B.2-1). */
import { OnStableError } from '../errors.ts'

export const success = 0x0000
const processingFailure = 0x0110
export const outOfResources = 0xa700
export const dataSetDoesNotMatch = 0xa900
export const cannotUnderstand = 0xc000

/** The status that says why an instance was not stored. */
export function statusOfFailure(thrown: unknown): number {
  if (!(thrown instanceof OnStableError)) return processingFailure
  switch (thrown.code) {
    case 'too-large':
    case 'storage-full':
    case 'shutting-down':
      return outOfResources
    case 'bad-dicom-file':
    case 'missing-identifier':
      return cannotUnderstand
    default:
      return processingFailure
  }
}
