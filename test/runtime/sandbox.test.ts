import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

/** What an expression is worth inside the isolate. */
async function inside(expression: string): Promise<string> {
  const run = await loadProgram(
    runtime,
    `export async function onChange(event, host) {
       try { console.log(await (${expression})) } catch (error) { console.log(error.name + ': ' + error.message) }
     }`,
  )
  return linesOf(await run()).join('\n')
}

describe('inside an isolate', () => {
  it.each([
    'process',
    'require',
    'module',
    'Buffer',
    'fetch',
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'FinalizationRegistry',
    'eval',
  ])('there is no %s', async (name) => {
    expect(await inside(`typeof ${name} + typeof globalThis['${name}']`)).toBe('undefinedundefined')
  })

  it.each([
    `new Function('return 1')()`,
    `(() => {}).constructor('return 1')()`,
    `(async () => {}).constructor('return 1')()`,
    `(function* () {}).constructor('return 1')()`,
    `(async function* () {}).constructor('return 1')()`,
    `host.get.constructor('return 1')()`,
    `console.log.constructor.constructor('return 1')()`,
    `Object.getPrototypeOf((async () => {}).constructor)('return 1')()`,
    `Reflect.construct(Array.constructor, ['return 1'])()`,
    `setTimeout.constructor('return 1')()`,
  ])('no code is made from text: %s', async (expression) => {
    expect(await inside(expression)).toMatch(/^(EvalError|TypeError): /)
  })

  it.each([
    [`new ArrayBuffer(1, { maxByteLength: 1 << 30 })`, 'RangeError: A script cannot make resizable buffers'],
    [`new (new Uint8Array(1).buffer.constructor)(1, { maxByteLength: 9 })`, /^RangeError/],
    [`new ArrayBuffer(8).slice(2).byteLength`, '6'],
    [
      `(class extends ArrayBuffer {}) && new (class A extends ArrayBuffer {})(4) instanceof ArrayBuffer`,
      'true',
    ],
    [`new Uint8Array(new ArrayBuffer(3)).length + ArrayBuffer.isView(new Uint8Array(1))`, '4'],
  ])('array buffers have one size: %s', async (expression, expected) => {
    expect(await inside(expression)).toMatch(expected)
  })

  it.each([
    ['btoa("\\xff\\x00a")', '/wBh'],
    ['atob(" /wBh\\n") === "\\xff\\x00a"', 'true'],
    ['atob("YQ==") + atob("YWI")', 'aab'],
    ['atob("a")', 'InvalidCharacterError: atob expects base64'],
    ['btoa("é患")', /^InvalidCharacterError/],
    [
      '(() => { const a = { n: [1, new Date(0)] }; a.self = a; const b = structuredClone(a); return b.self === b && b.n[1] - 0 })()',
      '0',
    ],
    ['structuredClone(new Map([[1, new Set([2])]])).get(1).has(2)', 'true'],
    ['structuredClone(new Uint16Array([1, 2, 3]).subarray(1)).join()', '2,3'],
    ['structuredClone({ f() {} })', /^DataCloneError/],
    ['structuredClone([Symbol("s")])', /^DataCloneError/],
    ['structuredClone()', /^TypeError/],
    [
      '[new WeakSet(), new WeakRef({}), Promise.resolve()].map((a) => { try { structuredClone(a) } catch (e) { return e.code } }).join()',
      '25,25,25',
    ],
    [
      '[new Number(1), new String("ab"), new Boolean(false), Object(2n)].map((a) => structuredClone(a)).map((a) => typeof a + a).join()',
      'object1,objectab,objectfalse,object2',
    ],
    [
      '(() => { const e = structuredClone(new RangeError("r", { cause: [new TypeError("t")] })); return [e instanceof RangeError, e.message, e.cause[0].name, Object.keys(e).length].join() })()',
      'true,r,TypeError,0',
    ],
    [
      '(() => { const e = structuredClone(new DOMException("d", "AbortError")); return [e instanceof DOMException, e.message, e.name, e.code].join() })()',
      'true,d,AbortError,20',
    ],
    [
      '(() => { const b = new Uint8Array([1, 2, 3, 4]); const c = structuredClone({ b, half: b.subarray(2), d: new DataView(b.buffer, 1, 2) }); c.b[2] = 9; return [c.half.join("+"), c.d.getUint8(1), c.half.buffer === c.b.buffer, b.join("+")].join() })()',
      '9+4,9,true,1+2+3+4',
    ],
    [
      '(() => { const { buffer } = new Uint8Array([7, 8]); const c = structuredClone({ buffer }, { transfer: [buffer] }); return [buffer.byteLength, new Uint8Array(c.buffer).join("+")].join() })()',
      '0,7+8',
    ],
    [
      '(() => { const { buffer } = new Uint8Array([7, 8]); try { structuredClone([buffer, () => {}], { transfer: [buffer] }) } catch { return buffer.byteLength } })()',
      '2',
    ],
    [
      '(() => { class A { a = 1; #b = 2; get c() { return 3 } } const c = structuredClone(Object.assign(new A(), { __proto__: 4 })); return [JSON.stringify(c), Object.getPrototypeOf(c) === Object.prototype].join() })()',
      '{"a":1},true',
    ],
    [
      '(() => { const a = [1, , 3]; a.more = { a }; const c = structuredClone(a); return [c.length, 1 in c, c.more.a === c].join() })()',
      '3,false,true',
    ],
    [
      '[Map, Date, RegExp, ArrayBuffer, Number].map((made) => JSON.stringify(structuredClone(Object.create(made.prototype)))).join()',
      '{},{},{},{},{}',
    ],
    [
      '(() => { class B extends ArrayBuffer { static get [Symbol.species]() { return function () { return mine } } } const mine = new ArrayBuffer(9); const c = structuredClone(new B(4)); return [c.byteLength, c instanceof B].join() })()',
      '4,false',
    ],
    [
      '(() => { Object.prototype.get = () => 1; try { return structuredClone({ a: [1] }).a[0] } finally { delete Object.prototype.get } })()',
      '1',
    ],
    ['(() => { const b = new ArrayBuffer(2); b.transfer(); structuredClone(b) })()', /^DataCloneError/],
    [
      '(() => { const u = new Uint8Array([1]); const c = structuredClone({ get a() { u[0] = 9 }, u }, { transfer: [u.buffer] }); return c.u[0] })()',
      '9',
    ],
    ['structuredClone(/a.b/gis).flags + structuredClone(new Date(NaN))', 'gisInvalid Date'],
    ['new Promise((resolve) => queueMicrotask(() => resolve("soon")))', 'soon'],
    ['new Promise((resolve) => setTimeout(resolve, 1, "later"))', 'later'],
    [
      'new Promise((resolve) => { clearTimeout(setTimeout(() => resolve("no"), 1)); setTimeout(resolve, 9, "yes") })',
      'yes',
    ],
    [
      '(() => { for (;;) setTimeout(() => {}, 1000) })()',
      'RangeError: A run has at most 256 timers at a time',
    ],
    [
      '(() => { for (;;) clearTimeout(setTimeout(() => {}, 1000)) })()',
      'RangeError: A run sets at most 1024 timers before it waits',
    ],
    [
      '(async () => { let set = 0; for (let i = 0; i < 9; i++) { for (let j = 0; j < 500; j++, set++) clearTimeout(setTimeout(() => {}, 9)); await new Promise((resolve) => setTimeout(resolve, 0)) } return set })()',
      '4500',
    ],
    ['typeof import("fs").then', 'function'],
  ])('%s gives %s', async (expression, expected) => {
    expect(await inside(expression)).toMatch(expected)
  })

  it('console and host.log write to the run, each at its level', async () => {
    const run = await loadProgram(
      runtime,
      `export function onChange(event, host) {
         console.debug('d'); console.log('l', 1, null, undefined, { a: [1n === 1n] }); console.info('i')
         console.warn('w'); console.error(Symbol('e')); host.log('h', () => {})
         const loop = {}; loop.loop = loop; console.log(loop)
       }`,
    )
    expect((await run()).logs).toEqual([
      { level: 'debug', text: 'd' },
      { level: 'info', text: 'l 1 null undefined {"a":[true]}' },
      { level: 'info', text: 'i' },
      { level: 'warn', text: 'w' },
      { level: 'error', text: 'Symbol(e)' },
      { level: 'info', text: 'h [function ]' },
      { level: 'info', text: '{"loop":[circular]}' },
    ])
  })

  it('an error that is logged shows places of the source', async () => {
    const run = await loadProgram(
      runtime,
      `export function onChange() {\n  console.log(new Error('seen'))\n}`,
    )
    expect(linesOf(await run())).toEqual([
      expect.stringMatching(/^Error: seen\n\s+at onChange \(script\.ts:2:15\)$/),
    ])
  })

  it('what a script does to the globals does not reach the prelude', async () => {
    const run = await loadProgram(
      runtime,
      `for (const name of ['stringify', 'parse']) JSON[name] = () => { throw 1 }
       Promise.prototype.then = () => { throw 2 }
       Array.prototype.push = Object.prototype.toString = String.prototype.slice = () => { throw 3 }
       Object.defineProperty(Object.prototype, '0', { set() { throw 4 } })
       Error.prepareStackTrace = () => { throw 5 }
       globalThis.Promise = globalThis.Error = globalThis.String = null
       export async function onChange(event, host) { console.log(event.a, (await host.get('/x')).b) }
       export function onNewStudy() { throw new TypeError('mine') }`,
    )
    const answer = async () => ({ ok: true, value: '{"b":2}' }) as const
    expect(linesOf(await run('onChange', { a: 1 }, answer))).toEqual(['1 2'])
    expect(await run('onNewStudy')).toMatchObject({
      outcome: 'threw',
      error: { name: 'TypeError', message: 'mine' },
    })
  })

  it('two scripts do not see each other', async () => {
    const first = await loadProgram(
      runtime,
      'export function onChange() { globalThis.left = Object.prototype.left = 1 }',
    )
    await first()
    expect(await inside('typeof left + typeof {}.left')).toBe('undefinedundefined')
    expect('left' in {}).toBe(false)
  })
})
