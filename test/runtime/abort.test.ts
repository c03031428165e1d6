/** `AbortController` and `AbortSignal` inside an isolate: as the DOM standard has them, within the life of a run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

const prepared = `
  const log = (...values) => console.log(...values.map(String))
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const nameOf = (work) => { try { work() } catch (error) { return error?.name ?? error } }
  const listenTo = (signal, name) => signal.addEventListener('abort', () => log(name, signal.aborted))
  const signals = (count) => Array.from({ length: count }, () => new AbortController())`

const load = (body: string, before = '') =>
  loadProgram(runtime, `${prepared}\n${before}\nexport async function onChange(event, host) { ${body} }`)

/** A rule, a body, and the lines that it logs. */
const rules: [rule: string, body: string, ...lines: string[]][] = [
  [
    'a signal is aborted once, by its controller',
    `const controller = new AbortController()
     const { signal } = controller
     log(signal.aborted, signal.reason, nameOf(() => signal.throwIfAborted()), controller.signal === signal)
     controller.abort()
     controller.abort('again')
     const { reason } = signal
     log(signal.aborted, reason.name, reason.message, reason instanceof DOMException, reason instanceof Error)
     log(nameOf(() => signal.throwIfAborted()))`,
    'false undefined undefined true',
    'true AbortError This operation was aborted true true',
    'AbortError',
  ],
  [
    'any value but undefined can be the reason',
    `for (const reason of [null, 0, 'text']) {
       const [controller] = signals(1)
       controller.abort(reason)
       log(controller.signal.reason, AbortSignal.abort(reason).reason)
     }
     log(AbortSignal.abort(undefined).reason.name)`,
    'null null',
    '0 0',
    'text text',
    'AbortError',
  ],
  [
    'only the functions of the standard make signals',
    `log(nameOf(() => new AbortSignal()), nameOf(() => Reflect.construct(AbortSignal, [{}], Map)))
     log(nameOf(() => AbortSignal()), nameOf(() => AbortController()))
     log(nameOf(() => Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted').get.call({})))
     log(new AbortController().signal, new AbortController())
     log(new AbortController().signal instanceof AbortSignal, AbortSignal.abort() instanceof AbortSignal)`,
    'TypeError TypeError',
    'TypeError TypeError',
    'TypeError',
    '[object AbortSignal] [object AbortController]',
    'true true',
  ],
  [
    'listeners are told in their order, each of them once',
    `const [controller] = signals(1)
     const { signal } = controller
     const first = function (event) { log('first', this === signal, event.type, event.target === signal) }
     signal.addEventListener('abort', first, { once: true })
     signal.addEventListener('abort', { handleEvent(event) { log('object', event.type, typeof this.handleEvent) } })
     signal.addEventListener('abort', first)
     signal.addEventListener('other', () => log('never'))
     signal.addEventListener('abort', null)
     const gone = () => log('never')
     signal.addEventListener('abort', gone)
     signal.removeEventListener('abort', gone)
     signal.removeEventListener('abort', gone)
     signal.removeEventListener('abort', () => {})
     controller.abort()
     controller.abort()
     listenTo(signal, 'too late')
     log(nameOf(() => signal.addEventListener('abort', 'text')))`,
    'first true abort true',
    'object abort function',
    'TypeError',
  ],
  [
    'onabort has its place among the listeners from when it was set',
    `const [controller, other] = signals(2)
     log(controller.signal.onabort)
     controller.signal.onabort = () => log('replaced')
     listenTo(controller.signal, 'second')
     controller.signal.onabort = function (event) { log('first', this === controller.signal, event.type) }
     log(typeof controller.signal.onabort)
     controller.abort()
     other.signal.onabort = () => log('never')
     other.signal.onabort = null
     log(other.signal.onabort)
     listenTo(other.signal, 'first')
     other.signal.onabort = () => log('last')
     other.abort()`,
    'null',
    'function',
    'first true abort',
    'second true',
    'null',
    'first true',
    'last',
  ],
  [
    'a listener may take away what comes after it, and what it adds is not told',
    `const [controller] = signals(1)
     const { signal } = controller
     const third = () => log('never')
     signal.addEventListener('abort', () => {
       log('first')
       signal.removeEventListener('abort', third)
       listenTo(signal, 'never')
       controller.abort()
     })
     listenTo(signal, 'second')
     signal.addEventListener('abort', third)
     listenTo(signal, 'fourth')
     controller.abort()`,
    'first',
    'second true',
    'fourth true',
  ],
  [
    'a signal of several is aborted with the first of them, and has its reason',
    `const [a, b] = signals(2)
     const asked = AbortSignal.any([a.signal, b.signal, a.signal])
     const heard = AbortSignal.any(new Set([a.signal, b.signal]))
     listenTo(heard, 'heard')
     b.abort('b')
     a.abort('a')
     log(asked.aborted, asked.reason, heard.aborted, heard.reason)
     log(AbortSignal.any([]).aborted, AbortSignal.any([AbortSignal.abort('c'), a.signal]).reason)
     log(AbortSignal.any([a.signal, b.signal]).reason, AbortSignal.any([asked]).reason)
     log(nameOf(() => AbortSignal.any()), nameOf(() => AbortSignal.any([1])))`,
    'heard true',
    'true b true b',
    'false c',
    'a b',
    'TypeError TypeError',
  ],
  [
    'signals of signals are aborted with them, all before the first listener is told',
    `const [controller, other] = signals(2)
     const inner = AbortSignal.any([controller.signal, other.signal])
     const outer = AbortSignal.any([inner])
     const unheard = AbortSignal.any([outer])
     controller.signal.addEventListener('abort', () => log(inner.aborted, outer.aborted, unheard.reason))
     listenTo(inner, 'inner')
     listenTo(outer, 'outer')
     controller.abort('why')`,
    'true true why',
    'inner true',
    'outer true',
  ],
  [
    'a signal of two is told once if a listener of the one aborts the other',
    `const [a, b] = signals(2)
     const any = AbortSignal.any([a.signal, b.signal])
     a.signal.addEventListener('abort', () => b.abort('b'))
     any.addEventListener('abort', () => log('any', any.reason))
     b.signal.addEventListener('abort', () => log('b', any.reason, b.signal.reason))
     a.abort('a')`,
    'b a b',
    'any a',
  ],
  [
    'who no longer listens is not told, whoever else does',
    `const [controller] = signals(1)
     const any = AbortSignal.any([controller.signal])
     const gone = () => log('never')
     any.addEventListener('abort', gone)
     listenTo(AbortSignal.any([any]), 'other')
     any.removeEventListener('abort', gone)
     controller.abort()
     log(any.aborted)`,
    'other true',
    'true',
  ],
  [
    'a timeout is over when its time is, whether somebody listens or not',
    `const asked = AbortSignal.timeout(20)
     const heard = AbortSignal.timeout(20)
     const far = AbortSignal.timeout(2 ** 40)
     const any = AbortSignal.any([far, heard])
     listenTo(heard, 'heard')
     listenTo(any, 'any')
     listenTo(far, 'never')
     log(heard.aborted, any.aborted)
     await wait(100)
     log(asked.aborted, heard.aborted, any.aborted, far.aborted)
     log(asked.reason.name, asked.reason.message, any.reason === heard.reason, any.reason instanceof DOMException)
     log(nameOf(() => AbortSignal.timeout(-1)), nameOf(() => AbortSignal.timeout(Infinity)))`,
    'false false',
    'heard true',
    'any true',
    'true true true false',
    'TimeoutError The operation was aborted due to timeout true true',
    'TypeError TypeError',
  ],
]

describe('signals', () => {
  it.each(rules)('%s', async (_, body, ...lines) => {
    const result = await (await load(body))()
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(lines)
  })

  it('whose listener throws tell the others, and the error is charged to the run', async () => {
    const run = await load(`const [controller] = signals(1)
      controller.signal.onabort = () => { throw new Error('mine') }
      listenTo(controller.signal, 'other')
      controller.abort()
      log('goes on')`)
    const result = await run()
    expect(linesOf(result)).toEqual(['other true', 'goes on'])
    expect(result).toMatchObject({ outcome: 'threw', error: { message: 'mine' } })
  })

  it('that time out show whose timeout it was', async () => {
    const run = await load('\nconst signal = AbortSignal.timeout(1)\nawait wait(20)\nsignal.throwIfAborted()')
    const { error } = await run()
    expect(error).toMatchObject({ name: 'TimeoutError', file: 'script.ts', line: 9 })
  })

  it('that time out have a timer only while somebody listens, and no run waits for that', async () => {
    const run = await load(`
      for (let i = 0; i < 700; i++) {
        const signal = AbortSignal.any([AbortSignal.timeout(60_000)])
        const listener = () => {}
        signal.addEventListener('abort', listener)
        signal.removeEventListener('abort', listener)
      }
      for (let i = 0; i < 256; i++) listenTo(AbortSignal.timeout(60_000), 'never')
      const many = AbortSignal.timeout(60_000)
      log(nameOf(() => listenTo(many, 'never')), nameOf(() => listenTo(AbortSignal.any([many]), 'never')))`)
    const result = await run()
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(['RangeError RangeError'])
  })

  it('that are kept from run to run time out in a later one, too', async () => {
    const run = await load(
      `if (signal === undefined) {
         signal = AbortSignal.timeout(50)
         listenTo(signal, 'of an earlier run')
       } else {
         const started = signal.aborted
         const [any] = [AbortSignal.any([signal])]
         await new Promise((resolve) => any.aborted ? resolve() : any.addEventListener('abort', resolve))
         log(any.reason.name)
       }`,
      'let signal',
    )
    expect(linesOf(await run())).toEqual([])
    expect(linesOf(await run()).at(-1)).toBe('TimeoutError')
  })

  it('are told by nothing that a script has changed', async () => {
    const run = await load(`
      const { defineProperty } = Object
      for (const { prototype } of [Map, Set, AbortSignal]) {
        for (const name of ['set', 'add', 'get', 'delete', 'forEach', 'size', 'aborted']) {
          defineProperty(prototype, name, { get() { throw new Error('changed') } })
        }
      }
      Function.prototype.call = Reflect.apply = Date.now = Promise.reject = () => { throw new Error('changed') }
      globalThis.Map = globalThis.DOMException = null
      const controller = new AbortController()
      const any = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)])
      any.addEventListener('abort', () => console.log('told', any.reason))
      controller.abort('why')`)
    const result = await run()
    expect(result.error).toBeNull()
    expect(linesOf(result)).toEqual(['told why'])
  })
})
