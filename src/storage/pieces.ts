/** What a thread is given of a file: pieces that move there without being copied where that is possible. */

/** A piece that owns all of its memory, so that it can move. */
export type OwnPiece = Uint8Array<ArrayBuffer>

/**
 * The same bytes in pieces that can move to a thread; afterwards the given chunks must not be used any more.
 * Chunks that are parts of something larger, such as a packet of the network, are copied together.
 */
export function ownPieces(chunks: readonly Uint8Array[]): OwnPiece[] {
  const own: OwnPiece[] = []
  for (let next = 0; next < chunks.length; ) {
    const chunk = chunks[next]!
    if (isOwn(chunk)) {
      own.push(chunk)
      next++
      continue
    }
    const start = next
    while (next < chunks.length && !isOwn(chunks[next]!)) next++
    own.push(joined(chunks.slice(start, next)))
  }
  return own
}

/** Small chunks are copied: what moves costs more than what is copied. */
const smallestOwnBytes = 16 * 1024

function isOwn(chunk: Uint8Array): chunk is OwnPiece {
  const { buffer, byteOffset, byteLength } = chunk
  const isWhole = byteOffset === 0 && byteLength === buffer.byteLength
  return buffer instanceof ArrayBuffer && isWhole && byteLength >= smallestOwnBytes
}

function joined(chunks: readonly Uint8Array[]): OwnPiece {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const piece = Buffer.allocUnsafeSlow(bytes)
  let at = 0
  for (const chunk of chunks) {
    piece.set(chunk, at)
    at += chunk.length
  }
  return piece
}
