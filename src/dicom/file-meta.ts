/** The start of a DICOM file: preamble and meta information (PS3.10, section 7.1). */

/** Identifies this software in the files that it writes: a UUID as a UID (PS3.5, B.2). */
export const implementationClassUid = '2.25.36380135244424789809212924418215097454'
export const implementationVersionName = 'ONSTABLE'

/** What is known of a dataset that came over the network without meta information. */
export interface FileMeta {
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  readonly transferSyntaxUid: string
  /** AE title of the sender, if any. */
  readonly sourceAet: string
}

/** Bytes to put before the dataset to make it a file. */
export function fileMetaInformation(meta: FileMeta): Buffer {
  const elements = Buffer.concat([
    versionElement,
    textElement(0x0002, 'UI', meta.sopClassUid, '\0'),
    textElement(0x0003, 'UI', meta.sopInstanceUid, '\0'),
    textElement(0x0010, 'UI', meta.transferSyntaxUid, '\0'),
    textElement(0x0012, 'UI', implementationClassUid, '\0'),
    textElement(0x0013, 'SH', implementationVersionName, ' '),
    ...(meta.sourceAet === '' ? [] : [textElement(0x0016, 'AE', meta.sourceAet, ' ')]),
  ])
  const groupLength = Buffer.alloc(4)
  groupLength.writeUInt32LE(elements.length)
  return Buffer.concat([preamble, element(0x0000, 'UL', groupLength), elements])
}

const preamble = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1')])
// OB has the long form: two reserved bytes, four of length.
const versionElement = Buffer.from([0x02, 0, 0x01, 0, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 1])

function textElement(number: number, vr: string, value: string, padding: string): Buffer {
  return element(number, vr, Buffer.from(value.length % 2 === 0 ? value : value + padding, 'latin1'))
}

function element(number: number, vr: string, value: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(0x0002, 0)
  header.writeUInt16LE(number, 2)
  header.write(vr, 4, 'latin1')
  header.writeUInt16LE(value.length, 6)
  return Buffer.concat([header, value])
}
