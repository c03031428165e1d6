/** A child process that has been taken over and does one thing, the one that it is told. */
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { frameSender, readFrames } from '../../src/runtime/frames.ts'
import type { ToChild } from '../../src/runtime/protocol.ts'

const act = process.argv[2]
const pipe = new Socket({ fd: 3, readable: true, writable: true })
pipe.on('close', () => process.exit())
const send = frameSender<object>(pipe)
const end = (id: number, outcome: string, body: string) =>
  send({ type: 'ended', id, outcome, cpuMs: 0, memoryBytes: 0, disposed: false }, body)

function leave() {
  spawn('sleep', ['20'], { stdio: ['ignore', 'ignore', 'inherit', 3], detached: true }).unref()
  setTimeout(() => process.exit(), 100)
}

readFrames(
  pipe,
  (header) => {
    const message = header as ToChild
    if (message.type === 'ping') {
      if (act !== 'gives no answer') send({ type: 'pong' })
      return
    }
    if (message.type === 'recall') return
    const { type, id } = message
    if (type === 'load')
      end(id, 'ok', act === 'speaks nonsense of a load' ? '{' : '{"functions":["onChange"]}')
    if (act === 'ends when it has loaded') leave()
    if (type !== 'run') return
    if (act === 'tells of a long stack') {
      const stack = ' at f (onstable:script:1:1)\n'.repeat(250_000)
      end(id, 'threw', JSON.stringify({ name: 'E', message: 'm', stack }))
    } else if (act === 'leaves somebody at its pipe') {
      leave()
    } else if (act === 'asks and does not listen') {
      pipe.pause()
      for (let call = 1; call <= 64; call++)
        send({ type: 'call', id, call, name: 'get' }, '{"path":"/system"}')
    }
  },
  () => {},
)
if (act !== 'is never ready') send({ type: 'ready' })
setInterval(() => send({ type: 'alive' }), 50)
