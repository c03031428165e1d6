/** What a thread is given of a file: pieces that move there without being copied where that is possible. */

/** A piece that can move owns all of its memory. */
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

function isOwn(chunk: Uint8Array): chunk is OwnPiece {
  const { buffer, byteOffset, byteLength } = chunk
  // Node shares pools of small memory between buffers, and a pool is never as small as one of them.
  return (
    buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength && byteLength > 0
  )
}

/** The chunks as one piece, copied. */
export function joined(chunks: readonly Uint8Array[]): OwnPiece {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const piece = Buffer.allocUnsafeSlow(bytes)
  let at = 0
  for (const chunk of chunks) {
    piece.set(chunk, at)
    at += chunk.length
  }
  return piece
}
