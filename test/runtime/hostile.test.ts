import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type RunOutcome, type RunResult, type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { linesOf, loadProgram } from '../support/program.ts'

/**
 * Attacks that are known to pass a timeout, to bring a process down, or to hold one up. Each names the outcomes
 * that are right; whichever comes, the same script and another one must work next.
 */
const attacks: [string, string, RunOutcome[]][] = [
  [
    'a microtask that arms itself',
    'const f = () => Promise.resolve().then(() => { f(); for (;;); }); f(); for (;;);',
    ['timed-out'],
  ],
  [
    'a number too large to write',
    'let x = 3n ** (2n ** 24n); x = x * x; x.toString()',
    ['timed-out', 'crashed'],
  ],
  ['a search through nothing', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)', ['timed-out']],
  ['an array filled at once', 'new Array(3e8).fill(1)', ['timed-out', 'out-of-memory', 'threw', 'ok']],
  [
    'a map',
    'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })',
    ['out-of-memory', 'timed-out', 'threw'],
  ],
  [
    'a long string',
    `'x'.padStart(2 ** 29 - 25, 'ab').toUpperCase().length`,
    ['out-of-memory', 'timed-out', 'ok'],
  ],
  ['deep JSON', `JSON.parse('[' + '{"a":1},'.repeat(2e7) + '1]')`, ['out-of-memory', 'timed-out', 'threw']],
  ['recursion', 'const f = () => f(); f()', ['threw']],
  ['a regular expression', `/(a*)*b/.test('a'.repeat(40))`, ['timed-out']],
  [
    'a thrown error whose getters loop',
    `throw Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } })`,
    ['timed-out'],
  ],
  ['a thrown proxy that loops', 'throw new Proxy(new Error(), { get() { for (;;); } })', ['timed-out']],
  [
    'a rejected proxy that loops',
    'Promise.reject(new Proxy(new Error(), { get() { for (;;); } }))',
    ['timed-out'],
  ],
  [
    'a thrown proxy that loops, late',
    'await 0; throw new Proxy(new Error(), { get() { for (;;); } })',
    ['timed-out'],
  ],
  ['a thenable that loops', 'return { then() { for (;;); } }', ['timed-out']],
  [
    'an amplified log',
    'let a = "lol"; for (let i = 0; i < 40; i++) a = [a, a, a, a]; console.log(a)',
    ['ok', 'timed-out', 'out-of-memory'],
  ],
  ['a log without end', 'const s = "x".repeat(1e5); for (;;) console.log(s)', ['timed-out']],
  ['a huge message', `throw new Error('x'.repeat(1e7))`, ['threw']],
  [
    'host calls at once',
    `for (let i = 0; i < 1e5; i++) host.get('/' + 'x'.repeat(1e3))`,
    ['timed-out', 'out-of-memory', 'threw', 'ok'],
  ],
  [
    'errors with long stacks',
    'Error.stackTraceLimit = 1e9; const k = []; for (;;) k.push(new Error("x".repeat(1e4)))',
    ['out-of-memory', 'timed-out'],
  ],
]

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent'), graceMs: 500 })
})
afterAll(() => runtime.close())

describe('hostile scripts', () => {
  it.each(attacks)('%s: ends, and harms nobody else', async (_, body, outcomes) => {
    const limits = { timeoutMs: 400, memoryMb: 32 }
    const hostile = await loadProgram(
      runtime,
      `export async function onChange(event, host) { ${body} }
       export function onStoredInstance() { console.log('still here') }`,
      limits,
    )
    const harmless = await loadProgram(runtime, `export function onChange() { console.log('fine') }`)
    const attack = hostile()
    const others: RunResult[] = []
    let ended = false
    attack.finally(() => {
      ended = true
    })
    while (!ended) {
      others.push(await harmless())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const result = await attack
    expect(outcomes).toContain(result.outcome)
    expect(result.error === null).toBe(result.outcome === 'ok')
    expect(result.error?.message.length ?? 0).toBeLessThan(10_000)
    expect(linesOf(await hostile('onStoredInstance'))).toEqual(['still here'])
    expect(linesOf(await harmless())).toEqual(['fine'])
    expect(others.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
