/**
 * A child process that has been taken over: it says that it is ready, and then whatever comes to its mind. What that
 * is depends on the number that it is given alone.
 */
import { Socket } from 'node:net'
import { frameSender, readFrames } from '../../src/runtime/frames.ts'
import type { ToChild } from '../../src/runtime/protocol.ts'
import { randomFrom } from '../campaign/random.ts'

const random = randomFrom(Number(process.argv[2]))
const [granted, other] = [process.argv[3]!, process.argv[4]!]
const pipe = new Socket({ fd: 3, readable: true, writable: true })
pipe.on('close', () => process.exit())
pipe.on('error', () => {})
const send = frameSender<object>(pipe)

const below = (count: number) => Math.floor(random() * count)
const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)]!
const deep = (length: number) => '['.repeat(length) + ']'.repeat(length)
const studyId = '01234567-01234567-01234567-01234567-01234567'

const tasks: number[] = []
const runs: number[] = []
let lastCall = 0

/** Of a task that there is or was; now and then of none, or no number at all. */
const anId = () =>
  random() < 0.98
    ? (pick(tasks) ?? 1)
    : pick<unknown>([below(50), 0, -1, 1.5, 2 ** 53, 1e308, '1', null, {}, [1]])

const argumentsByCall = new Map<string, () => unknown>(
  Object.entries({
    send: () => ({ level: 'Study', id: studyId, modality: pick(['GRANTED', 'OTHER', '']) }),
    http: () => ({
      url: pick([
        granted,
        granted,
        granted,
        granted,
        granted,
        other,
        granted.replace('http://', 'http://x@'),
        'file:///etc/passwd',
        'http://',
      ]),
      method: pick(['GET', 'POST']),
      headers: pick([{}, {}, {}, {}, { host: 'x' }, { 'x\r\ny': 'z' }]),
      body: pick([null, 'x'.repeat(1e5)]),
      timeoutMs: pick([null, 1_000, 1]),
    }),
    get: () => ({
      path: pick(['/system', '/scripts', '/instances/../scripts', '/studies?expand', '//x', '']),
    }),
    'kv.get': () => ({ key: pick(['a', '', 'x'.repeat(1e4)]) }),
    'kv.set': () => ({ key: 'a', value: pick(['1', '{', '"x"', '['.repeat(1e4)]) }),
    'kv.list': () => ({ prefix: '', after: null }),
    hash: () => ({ algorithm: 'md5', text: 'x'.repeat(1e5), key: null }),
  }),
)
const callNames = [...argumentsByCall.keys(), 'send', 'http', 'http', 'http', '__proto__', 'then', '']
const oddArguments = [
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  deep(1e5),
  'null',
  '',
]

/** What is granted, if the script is the one. */
const honest = {
  send: { level: 'Study', id: studyId, modality: 'GRANTED' },
  http: { url: granted, method: 'GET', headers: {}, body: null, timeoutMs: null },
  get: { path: '/system' },
}

/** As an honest child asks, of all that there is, so that some of it gets through before the lies end it. */
function askOfEverything(id: number): void {
  for (const [name, given] of Object.entries(honest)) {
    send({ type: 'call', id, call: ++lastCall, name }, JSON.stringify(given))
  }
  for (let each = 0; each < 2; each++) {
    for (const [name, make] of argumentsByCall) {
      send({ type: 'call', id, call: ++lastCall, name }, JSON.stringify(make()))
    }
  }
}

/** Mostly one that a run may make. */
function call(): void {
  const name = pick(callNames)
  const make = random() < 0.9 ? argumentsByCall.get(name) : pick([...argumentsByCall.values()])
  const text = make === undefined || random() < 0.1 ? pick(oddArguments) : JSON.stringify(make())
  const id = random() < 0.998 ? (runs.at(-1 - below(3)) ?? anId()) : anId()
  send({ type: 'call', id, call: random() < 0.998 ? ++lastCall : below(5), name }, text)
}

function end(id: unknown): void {
  const outcome = pick(['ok', 'threw', 'timed-out', 'out-of-cpu', 'out-of-memory', 'crashed', 'not-begun'])
  const error = '{"name":"E","message":"m","stack":"onstable:script:999999999:1"}'
  const body = pick(['', '{', 'null', deep(1e5), error, '{"functions":[],"manifest":{}}'])
  send(
    { type: 'ended', id, outcome, cpuMs: pick([0, 1e300]), memoryBytes: 0, disposed: random() < 0.5 },
    body,
  )
}

/** What the engine may hear from an honest child, too. */
const plausible: readonly (() => void)[] = [
  ...Array<() => void>(20).fill(call),
  () => {
    for (let n = below(20); n > 0; n--) call()
  },
  () => end(anId()),
  () => {
    const text = pick(['', 'x'.repeat(1e5), 'onstable:script:1:1 '.repeat(1e4)])
    send({ type: 'log', id: anId(), level: pick(['info', 'error']) }, text)
  },
  () => send({ type: 'cancel', id: anId(), call: pick([lastCall, below(5)]) }),
  () => {
    for (let n = 0; n < 500; n++) send({ type: pick(['alive', 'pong']) })
  },
  () => void process.stderr.write('x'.repeat(1e5)),
]

/** What no honest child says. */
const absurd: readonly (() => void)[] = [
  () => send({ type: 'wedged', id: anId(), outcome: pick(['timed-out', 'out-of-memory', 'ok']) }),
  () => send({ type: pick(['ready', 'run', 'load', 'answer', '__proto__', '']), id: anId() }),
  () => send({ type: 'alive', more: 1 }),
  () => send({ type: 'log', id: anId(), level: 'fatal' }),
  () => send({ type: 'cancel', id: anId(), call: -1 }),
  () => write(Buffer.from(Array.from({ length: below(200) }, () => below(256)))),
  () => write(frame('{"type":"alive"}').subarray(0, below(20))),
  () =>
    write(frame(pick(['{', 'null', '[]', '"x"', deep(3e4), '{"type":"alive","type":"ready"}', '\xff\xfe']))),
  () => write(frame('{"type":"log","id":1,"level":"info"}', Buffer.alloc(1_000, 0xff))),
  () => write(frame('{"type":"log","id":1,"level":"info"}', Buffer.alloc(8e6, 'x'))),
  () => write(frame('{"type":"alive"}', Buffer.alloc(0), below(1e9))),
  () => write(Buffer.alloc(8, 0xff)),
  () => write(Buffer.alloc(1_000)),
  () => void pipe.end(),
  () => void pipe.pause(),
  () => process.exit(below(3)),
  () => void process.kill(process.pid, pick(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGSTOP'] as const)),
]

function write(bytes: Buffer): void {
  pipe.write(bytes)
}

/** @param more by how much its header says to be longer than it is */
function frame(header: string, body: Buffer = Buffer.alloc(0), more = 0): Buffer {
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(Buffer.byteLength(header) + more, 0)
  prefix.writeUInt32BE(body.length, 4)
  return Buffer.concat([prefix, Buffer.from(header), body])
}

readFrames(
  pipe,
  (header) => {
    const message = header as ToChild
    if (message.type === 'ping') send({ type: 'pong' })
    if (message.type === 'answer') begin()
    if (message.type === 'ping' || message.type === 'answer' || message.type === 'recall') return
    const { type, id } = message
    tasks.push(id)
    if (type === 'run') {
      runs.push(id)
      askOfEverything(id)
    }
    // Loads are done, as far as anybody can see, so that there is something to lie about.
    if (type === 'load' && random() < 0.9) {
      const ended = { outcome: 'ok', cpuMs: 1, memoryBytes: 1, disposed: false }
      send({ type: 'ended', id, ...ended }, '{"functions":["onChange"]}')
    }
  },
  () => {},
)

function lie(): void {
  for (let n = below(5); n >= 0; n--) pick(random() < 0.985 ? plausible : absurd)()
  setTimeout(lie, below(20))
}

/** Half of them lie from the start; the others once they have got something by asking as an honest child would. */
let hasBegun = false
function begin(): void {
  if (!hasBegun) lie()
  hasBegun = true
}

send({ type: 'ready' })
setTimeout(begin, random() < 0.5 ? 20 : 2_000)
