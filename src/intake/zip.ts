/** ZIP archives, one member in memory at a time; an archive made to burst is refused. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Unzip, UnzipInflate } from 'fflate'
import { fault, OnStableError } from '../errors.ts'

export const signatureBytes = 4
const startsWith = (content: Buffer, signature: string) =>
  content.toString('latin1', 0, signatureBytes) === signature

export const isZip = (content: Buffer) => startsWith(content, 'PK\x03\x04')
export const isEmptyZip = (content: Buffer) => startsWith(content, 'PK\x05\x06')

/** Little enough that inflating it never holds up the event loop for long, whatever it inflates to. */
const pieceBytes = 8 * 1024
/** Nothing but zeros inflates 1,000 times; images 2 to 20 times. */
const largestRatio = 200
const freeBytes = 64 * 1024 * 1024

/**
 * Yields the content of each member, in chunks, as soon as it is complete.
 * @param largestBytes what one member may have
 * @throws `bad-dicom-file` if the archive is broken, `too-large` if it inflates to too much
 */
export async function* unzip(archive: Buffer, largestBytes: number): AsyncGenerator<Uint8Array[]> {
  const members = new Members(largestBytes)
  const unzipper = new Unzip((file) => {
    const member = members.begin()
    file.ondata = (error, chunk, isLast) => {
      if (error === null) members.add(member, chunk, isLast)
      else members.drop(member)
    }
    // A method that is not known is one that no DICOM archive uses.
    if (file.compression === 0 || file.compression === 8) file.start()
    else members.drop(member)
  })
  unzipper.register(UnzipInflate)
  for (let at = 0; at < archive.length; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, archive.length)
    push(unzipper, archive.subarray(at, end), end === archive.length)
    if (members.totalBytes > freeBytes && members.totalBytes > end * largestRatio) {
      throw fault('too-large', `The ZIP archive inflates to more than ${largestRatio} times its size`)
    }
    yield* members.takeComplete()
    await nextTurn()
  }
  if (members.areOpen()) throw broken(null)
}

function push(unzipper: Unzip, piece: Uint8Array, isLast: boolean): void {
  try {
    unzipper.push(piece, isLast)
  } catch (cause) {
    throw cause instanceof OnStableError ? cause : broken(cause)
  }
}

const broken = (cause: unknown) =>
  fault('bad-dicom-file', 'Cannot read the ZIP archive: it is broken or cut off', { cause })

interface Member {
  chunks: Uint8Array[]
  bytes: number
}

/** What has been inflated and not yet been taken. */
class Members {
  readonly #largestBytes: number
  readonly #open = new Set<Member>()
  #complete: Uint8Array[][] = []
  totalBytes = 0

  constructor(largestBytes: number) {
    this.#largestBytes = largestBytes
  }

  begin(): Member {
    const member = { chunks: [], bytes: 0 }
    this.#open.add(member)
    return member
  }

  add(member: Member, chunk: Uint8Array, isLast: boolean): void {
    member.chunks.push(chunk)
    member.bytes += chunk.length
    this.totalBytes += chunk.length
    if (member.bytes > this.#largestBytes) {
      throw fault('too-large', `A member of the ZIP archive has more than ${this.#largestBytes} bytes`)
    }
    if (isLast && this.#open.delete(member) && member.bytes > 0) this.#complete.push(member.chunks)
  }

  drop(member: Member): void {
    this.#open.delete(member)
  }

  areOpen(): boolean {
    return this.#open.size > 0
  }

  takeComplete(): Uint8Array[][] {
    const complete = this.#complete
    this.#complete = []
    return complete
  }
}
