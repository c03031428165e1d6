/** ZIP archives, one member in memory at a time; one that is broken or made to burst is refused as a whole. */
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { fault, messageOf, OnStableError } from '../errors.ts'

export const signatureBytes = 4
const startsWith = (content: Buffer, signature: string) =>
  content.toString('latin1', 0, signatureBytes) === signature

export const isZip = (content: Buffer) => startsWith(content, 'PK\x03\x04')
export const isEmptyZip = (content: Buffer) => startsWith(content, 'PK\x05\x06')

/** Nothing but zeros inflates 1,000 times; images 2 to 20 times. */
const largestRatio = 200
const freeBytes = 64 * 1024 * 1024

/**
 * Yields the content of each member, in chunks.
 * @param largestBytes what one member may have
 * @throws `bad-dicom-file` if the archive is broken, `too-large` if it inflates to too much; before the first
 *   member is yielded, unless the content of one is broken
 */
export async function* unzip(archive: Buffer, largestBytes: number): AsyncGenerator<Uint8Array[]> {
  try {
    // Twice, since a directory of millions of members is no list to keep.
    await checkDirectory(await open(archive), { archiveBytes: archive.length, largestBytes })
    const zip = await open(archive)
    for await (const entry of zip.eachEntry()) {
      if (entry.uncompressedSize > 0) yield await contentOf(zip, entry)
    }
  } catch (cause) {
    if (cause instanceof OnStableError) throw cause
    throw fault('bad-dicom-file', `Cannot read the ZIP archive: ${messageOf(cause)}`, { cause })
  }
}

/** Names are not looked at, so they may be anything. */
const open = (archive: Buffer) => fromBufferPromise(archive, { decodeStrings: false })

/** The sizes that the directory declares are held to when the members are read. */
async function checkDirectory(
  zip: ZipFile,
  { archiveBytes, largestBytes }: { readonly archiveBytes: number; readonly largestBytes: number },
): Promise<void> {
  let totalBytes = 0
  for await (const { uncompressedSize } of zip.eachEntry()) {
    totalBytes += uncompressedSize
    if (uncompressedSize > largestBytes) {
      throw fault('too-large', `A member of the ZIP archive has more than ${largestBytes} bytes`)
    }
    if (totalBytes > freeBytes && totalBytes > archiveBytes * largestRatio) {
      throw fault('too-large', `The ZIP archive inflates to more than ${largestRatio} times its size`)
    }
  }
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  let checksum = 0
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    checksum = crc32(chunk, checksum)
  }
  if (checksum !== entry.crc32) throw new Error('a member does not have the checksum that it should')
  return chunks
}
