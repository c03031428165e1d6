/** What `console` makes of what a script hands it, in a real isolate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { caps } from '../../src/runtime/caps.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { loadProgram } from '../support/program.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await startRuntime({ log: createLog('silent') })
})
afterAll(() => runtime.close())

/** The lines that a body logs, without their levels. */
async function linesOf(body: string): Promise<string[]> {
  const run = await loadProgram(runtime, `export async function onChange() { ${body} }`)
  const { outcome, error, logs } = await run()
  expect({ outcome, error }).toMatchObject({ outcome: 'ok' })
  return logs.map(({ text }) => text)
}

describe('a value', () => {
  it.each([
    ['new Map([["a", 1], [{ b: 2 }, null]])', 'Map(2) {"a" => 1,{"b":2} => null}'],
    ['new Set([1, "two"])', 'Set(2) {1,"two"}'],
    ['{ inner: new Map(), big: 5n, none: undefined }', '{"inner":Map(0) {},"big":5n,"none":undefined}'],
    ['new Uint8Array([1, 2])', 'Uint8Array(2) [1,2]'],
    ['{ at: new Date(0) }', '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['{ why: new TypeError("odd") }', '{"why":[TypeError: odd]}'],
    ['[1, [2, [3, [4, [5, [6, [7]]]]]]]', '[1,[2,[3,[4,[5,[6,[array]]]]]]]'],
    ['Array.from({ length: 102 }, () => 0)', `[${'0,'.repeat(100)}… 2 more]`],
    ['{ get trap() { throw 1 } }', '[cannot be shown]'],
  ])('%s is shown as %s', async (value, shown) => {
    expect(await linesOf(`console.log(${value})`)).toEqual([shown])
  })

  it('is shown no further than a line of the log goes, however large it is', async () => {
    const [line] = await linesOf(`
      const wide = Object.fromEntries(Array.from({ length: 90 }, (_, at) => ['k' + at, 'x'.repeat(1000)]))
      console.log([wide, wide, wide])`)
    expect(line!.length).toBeLessThanOrEqual(caps.logLineLength + 1)
    expect(line).toMatch(/^\[\{"k0":"xxx/)
  })

  it('of an error is its stack, with what caused it and what else it is made of', async () => {
    const [caused, several] = await linesOf(`
      console.log(new Error('top', { cause: new RangeError('below') }))
      console.log(new AggregateError([new Error('one'), 'two'], 'both'))`)
    expect(caused).toMatch(/^Error: top\n.*\nCaused by: RangeError: below/s)
    expect(several).toMatch(/^AggregateError: both\n.*\nError 1 of 2: Error: one.*\nError 2 of 2: two/s)
  })
})

it('the first text says where the others go, as in Node', async () => {
  expect(
    await linesOf(`
      console.log('%s has %d of %i, %j %%', 'CT', '3.5', 7.9, { a: 1 }, 'and', 'more')
      console.log('100% sure', 1)
      console.log('%s')
      console.log('ends in %', 2)`),
  ).toEqual(['CT has 3.5 of 7, {"a":1} % and more', '100% sure 1', '%s', 'ends in % 2'])
})

it('a table has a line for each row, and a column for each property', async () => {
  expect(
    await linesOf(`
      console.table([{ id: 'a', size: 10 }, { id: 'bcd', more: true }])
      console.table({ first: 1 })
      console.table('none')`),
  ).toEqual([
    '  | id  | size | more',
    '0 | a   | 10   |     ',
    '1 | bcd |      | true',
    '      | value',
    'first | 1    ',
    'none',
  ])
})

it('groups are indented, until they end or the run does', async () => {
  const body = `console.group('outer'); console.log('in'); console.group(); console.warn('deeper')
    console.groupEnd(); console.groupEnd(); console.groupEnd(); console.log('out'); console.group()`
  expect(await linesOf(`${body}`)).toEqual(['outer', '  in', '    deeper', 'out'])
  const run = await loadProgram(
    runtime,
    `export function onChange() { console.log('flat'); console.group() }`,
  )
  await run()
  expect((await run()).logs).toEqual([{ level: 'info', text: 'flat' }])
})

it('counts, times, traces and assertions say what they do in Node', async () => {
  const lines = await linesOf(`
    console.count(); console.count('a'); console.count('a'); console.countReset('a'); console.count('a')
    console.time('t'); console.timeEnd('t'); console.timeEnd('t')
    console.assert(true, 'unsaid'); console.assert(false, 'said')
    console.trace('here'); console.dir({ d: 1 })`)
  expect(lines.slice(0, 4)).toEqual(['default: 1', 'a: 1', 'a: 2', 'a: 1'])
  expect(lines[4]).toMatch(/^t: \d+ ms$/)
  expect(lines[5]).toBe('Assertion failed said')
  expect(lines[6]).toMatch(/^Trace: here\n/)
  expect(lines.slice(7)).toEqual(['{"d":1}'])
})

it('a script that spoils what text is made of spoils only its own lines', async () => {
  const spoil = `
    Array.prototype.map = Array.prototype.join = String.prototype.padEnd = () => { throw new Error('spoilt') }
    Object.defineProperty(Array.prototype, '0', { set() { throw new Error('set') }, configurable: true })
    try { console.table([{ a: 1 }]) } catch {}
    console.log(new Map([[1, 2]]))
    throw new Error('ended as it said')`
  const run = await loadProgram(runtime, `export function onChange() { ${spoil} }`)
  expect((await run()).error?.message).toBe('ended as it said')
  expect(await linesOf(`console.log('next')`)).toEqual(['next'])
})
