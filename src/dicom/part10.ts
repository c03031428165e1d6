/**
 * Finds the dataset in a file (PS3.10, section 7): behind the preamble and the meta information, or at the
 * very start where those are missing, inflated where it is deflated.
 */
import { constants, inflateRawSync } from 'node:zlib'
import { type Encoding, isVr, readUint16, vrCode, walkElements } from './elements.ts'

export const implicitLittleEndian = '1.2.840.10008.1.2'
export const explicitLittleEndian = '1.2.840.10008.1.2.1'
export const explicitBigEndian = '1.2.840.10008.1.2.2'

/** Of old GE archives: implicit little endian, with the words of the pixel data in big endian. */
const privateGe = '1.2.840.113619.5.2'

/** Explicit little endian, JPIP and HTJ2K by reference: the dataset is deflated. */
const deflated = ['1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.4.95', '1.2.840.10008.1.2.4.205']
export const isDeflated = (transferSyntaxUid: string) => deflated.includes(transferSyntaxUid)

export interface Part10 {
  readonly transferSyntaxUid: string
  /** Where the dataset starts. */
  readonly position: number
}

const preambleLength = 128
const transferSyntaxTag = 0x00020010
const metaEncoding: Encoding = { explicit: true, bigEndian: false }

/** Null: these bytes cannot be a DICOM file. */
export function readPart10(bytes: Buffer): Part10 | null {
  const hasPrefix =
    bytes.length >= preambleLength + 4 &&
    bytes.toString('latin1', preambleLength, preambleLength + 4) === 'DICM'
  const start = hasPrefix ? preambleLength + 4 : 0
  let transferSyntaxUid = ''
  const meta = walkElements(
    bytes,
    start,
    metaEncoding,
    (tag, _vr, offset, length) => {
      if (tag === transferSyntaxTag)
        transferSyntaxUid = bytes.toString('latin1', offset, offset + length).replace(/[\0 ]+$/, '')
    },
    0x0002,
  )
  if (transferSyntaxUid === '' && meta.position >= bytes.length) return null
  return {
    transferSyntaxUid: transferSyntaxUid || guessTransferSyntax(bytes, meta.position),
    position: meta.position,
  }
}

export function encodingOf(transferSyntaxUid: string): Encoding {
  return {
    explicit: transferSyntaxUid !== implicitLittleEndian && transferSyntaxUid !== privateGe,
    bigEndian: transferSyntaxUid === explicitBigEndian,
  }
}

/** A dataset starts with a low group, whose bytes show their order, and an explicit VR is two letters. */
function guessTransferSyntax(bytes: Buffer, position: number): string {
  if (position + 6 > bytes.length || !isVr(vrCode(bytes.toString('latin1', position + 4, position + 6)))) {
    return implicitLittleEndian
  }
  const isBig = readUint16(bytes, position, true) < readUint16(bytes, position, false)
  return isBig ? explicitBigEndian : explicitLittleEndian
}

/**
 * Inflates as much of a deflated dataset as the first `inputBytes` of it give: pixel data lies at the end,
 * and nobody looks at it here.
 */
export function inflateStart(bytes: Buffer, position: number, inputBytes: number): Buffer {
  return inflateRawSync(bytes.subarray(position, position + inputBytes), {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: largestInflatedBytes,
  })
}

const largestInflatedBytes = 64 * 1024 * 1024
