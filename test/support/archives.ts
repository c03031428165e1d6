/** ZIP archives for tests, and the marks by which their parts are found. */
import { zipSync } from 'fflate'

export const localHeader = Buffer.from('PK\x03\x04', 'latin1')
export const directoryHeader = Buffer.from('PK\x01\x02', 'latin1')

/** @param level 0: stored, so that the place of each byte is known; 6: deflated */
export function zip(members: Record<string, Uint8Array>, level: 0 | 6 = 6): Buffer {
  return Buffer.from(zipSync(members, { level }))
}

/** As written by a program that knows the sizes only afterwards: the local header has none. */
export function asStream(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive)
  for (const header of [0, bytes.lastIndexOf(directoryHeader) + 2]) {
    bytes.writeUInt16LE(bytes.readUInt16LE(header + 6) | 0x08, header + 6)
  }
  bytes.fill(0, 14, 26)
  return bytes
}
