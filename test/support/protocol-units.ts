/** DICOM's protocol data units on a socket (PS3.8, 9.3): written, and read one at a time. */
import type { Socket } from 'node:net'

export interface ProtocolUnit {
  readonly type: number
  readonly body: Buffer
}

export function protocolUnit(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt8(type, 0)
  head.writeUInt32BE(body.length, 2)
  return Buffer.concat([head, body])
}

/** @returns the function that gives the next unit; null when the connection has ended */
export function unitsOf(socket: Socket): () => Promise<ProtocolUnit | null> {
  const bytes = socket[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  return async () => {
    while (held.length < 6 || held.length < 6 + held.readUInt32BE(2)) {
      const next = await bytes.next().catch(() => ({ done: true as const, value: undefined }))
      if (next.done === true) return null
      held = Buffer.concat([held, next.value as Buffer])
    }
    const end = 6 + held.readUInt32BE(2)
    const unit = { type: held.readUInt8(0), body: held.subarray(6, end) }
    held = held.subarray(end)
    return unit
  }
}
