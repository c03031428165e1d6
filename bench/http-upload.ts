/**
 * A sender of `POST /instances` over one kept connection that takes as little of the processor as it can: it shares it with
 * the server that is measured.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Uploader extends Disposable {
  /** One at a time. */
  upload(file: Buffer): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly text: string
}

export async function openUploader(url: string): Promise<Uploader> {
  const { hostname, port, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  const answers = readAnswers(socket)
  const head = `POST /instances HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/dicom\r\nContent-Length: `
  return {
    upload(file) {
      const answered = answers.next()
      socket.cork()
      socket.write(`${head}${file.length}\r\n\r\n`, 'latin1')
      socket.write(file)
      socket.uncork()
      return answered
    },
    [Symbol.dispose]() {
      socket.destroy()
    },
  }
}

/** Answers in the order of the requests, one at a time; each has a Content-Length. */
function readAnswers(socket: Socket): { next(): Promise<Answer> } {
  let bytes: Buffer = Buffer.alloc(0)
  let waiting: PromiseWithResolvers<Answer> | null = null
  const end = (error: Error) => waiting?.reject(error)
  socket.on('data', (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const answer = wholeAnswer(bytes)
    if (answer === null || waiting === null) return
    const { resolve } = waiting
    waiting = null
    bytes = Buffer.alloc(0)
    resolve(answer)
  })
  socket.on('error', end)
  socket.on('close', () => end(new Error('The server closed the connection')))
  return {
    next() {
      if (waiting !== null) throw new Error('One request at a time')
      waiting = Promise.withResolvers()
      return waiting.promise
    },
  }
}

function wholeAnswer(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const head = bytes.toString('latin1', 0, headEnd)
  const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`An answer without a length:\n${head}`)
  if (bytes.length < headEnd + 4 + Number(length)) return null
  return { status: Number(head.slice(9, 12)), text: bytes.toString('utf8', headEnd + 4) }
}
