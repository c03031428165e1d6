import { PassThrough } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { frameSender, maxBodyBytes, readFrames } from '../../src/runtime/frames.ts'

const messages = [
  { header: { type: 'a', n: 1 }, body: '' },
  { header: { type: 'b' }, body: 'Grüße, 患者, 🩻' },
  { header: { type: 'c', list: [] }, body: 'x'.repeat(100_000) },
]

async function encoded(): Promise<Buffer> {
  const stream = new PassThrough()
  const send = frameSender(stream)
  for (const { header, body } of messages) send(header, body)
  return await new Promise((resolve) => stream.once('data', resolve))
}

function reading() {
  const stream = new PassThrough()
  const frames: unknown[] = []
  const faults: string[] = []
  readFrames(
    stream,
    (header, body) => frames.push({ header, body }),
    (reason) => faults.push(reason),
  )
  return { stream, frames, faults }
}

describe('frames', () => {
  it('sends what belongs to one turn as one write', async () => {
    const stream = new PassThrough()
    const write = vi.spyOn(stream, 'write')
    const send = frameSender(stream)
    for (const { header, body } of messages) send(header, body)
    await new Promise((resolve) => stream.once('data', resolve))
    expect(write).toHaveBeenCalledTimes(1)
  })

  it.each([1, 7, 9, 4096, 1_000_000])('come out as they went in, in pieces of %i bytes', async (size) => {
    const bytes = (await encoded()).subarray(0, size === 1 ? 200 : undefined)
    const { stream, frames } = reading()
    for (let at = 0; at < bytes.length; at += size) stream.write(bytes.subarray(at, at + size))
    const expected = size === 1 ? messages.slice(0, 2) : messages
    await vi.waitFor(() => expect(frames).toEqual(expected))
  })

  it('end at a frame that says it is too long, before its bytes came', async () => {
    const { stream, frames, faults } = reading()
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32BE(10, 0)
    prefix.writeUInt32BE(maxBodyBytes + 1, 4)
    stream.write(prefix)
    await vi.waitFor(() => expect(faults).toHaveLength(1))
    stream.write(await encoded())
    expect(frames).toEqual([])
  })

  it('end at a header that is not JSON', async () => {
    const { stream, faults } = reading()
    stream.write(Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0x7b, 0x7b]))
    await vi.waitFor(() => expect(faults).toHaveLength(1))
  })
})
