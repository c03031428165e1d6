/**
 * Messages on a pipe: u32 length of the header, u32 length of the body (big endian, bytes), the header as JSON,
 * the body as UTF-8. What is sent in one turn of the event loop is written at once.
 */
import type { Readable, Writable } from 'node:stream'

/** Longer headers and bodies are a fault. */
export const maxHeaderBytes = 64 * 1024
export const maxBodyBytes = 8 * 1024 * 1024

const prefixBytes = 8

export type SendFrame<Header> = (header: Header, body?: string) => void

/** The function that sends frames on a stream. What is sent after the stream's end is dropped. */
export function frameSender<Header extends object>(stream: Writable): SendFrame<Header> {
  let texts: string[] = []
  const flush = () => {
    const batch = texts
    texts = []
    if (stream.writable) stream.write(encode(batch))
  }
  return (header, body = '') => {
    if (texts.length === 0) setImmediate(flush)
    texts.push(JSON.stringify(header), body)
  }
}

/**
 * Calls `onFrame` for every whole frame. After a frame that is too long, or a header that is not JSON, it calls
 * `onFault` once and reads no further.
 */
export function readFrames(
  stream: Readable,
  onFrame: (header: unknown, body: string) => void,
  onFault: (reason: string) => void,
): void {
  let chunks: Buffer[] = []
  let received = 0
  let needed = prefixBytes
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    received += chunk.length
    if (received < needed) return
    let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks, received)
    try {
      while (rest.length >= prefixBytes) {
        needed = frameBytes(rest)
        if (rest.length < needed) break
        const bodyAt = prefixBytes + rest.readUInt32BE(0)
        onFrame(JSON.parse(rest.toString('utf8', prefixBytes, bodyAt)), rest.toString('utf8', bodyAt, needed))
        rest = rest.subarray(needed)
        needed = prefixBytes
      }
    } catch (thrown) {
      stream.removeAllListeners('data').resume()
      onFault(thrown instanceof Error ? thrown.message : String(thrown))
    }
    chunks = rest.length === 0 ? [] : [rest]
    received = rest.length
  })
}

function encode(texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text))
  const total = sizes.reduce((sum, size) => sum + size, (texts.length / 2) * prefixBytes)
  const buffer = Buffer.allocUnsafe(total)
  let at = 0
  for (let i = 0; i < texts.length; i += 2) {
    at = buffer.writeUInt32BE(sizes[i]!, at)
    at = buffer.writeUInt32BE(sizes[i + 1]!, at)
    at += buffer.write(texts[i]!, at)
    at += buffer.write(texts[i + 1]!, at)
  }
  return buffer
}

function frameBytes(start: Buffer): number {
  const headerBytes = start.readUInt32BE(0)
  const bodyBytes = start.readUInt32BE(4)
  if (headerBytes > maxHeaderBytes || bodyBytes > maxBodyBytes) {
    throw new RangeError(`A frame of ${headerBytes} + ${bodyBytes} bytes is too long`)
  }
  return prefixBytes + headerBytes + bodyBytes
}
