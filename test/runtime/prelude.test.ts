/** The isolate's side of runs that were handed over ahead, entry by entry. */
import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { expect, test } from 'vitest'
import { caps } from '../../src/runtime/caps.ts'

type Entries = Record<
  'begin' | 'open' | 'run' | 'runAhead' | 'answer' | 'fire',
  (...values: unknown[]) => void
>

/** The prelude in a context of its own, with a script in it; `enter` is one visit, microtasks and all. */
async function open(script: string, recalled = [0]) {
  const posts: string[] = []
  const post = (kind: string, ...values: unknown[]) => posts.push([kind, ...values.slice(0, 2)].join(' '))
  const context = createContext()
  const read = (name: string) =>
    runInContext(readFileSync(new URL(`../../sandbox/${name}.js`, import.meta.url), 'utf8'), context)
  read('platform')
  const parts = ['verdict', 'show', 'text', 'console', 'abort', 'calls', 'host'].map(read)
  const entries = read('prelude')(post, JSON.stringify(caps), '00', recalled, ...parts) as Entries
  runInContext(script, context)
  const enter = async (entry: keyof Entries, ...values: unknown[]) => {
    posts.length = 0
    entries[entry](...values)
    await new Promise(setImmediate)
    return [...posts]
  }
  await enter('begin', 0)
  await enter('open')
  return enter
}

const script = `var __exports = {
  onChange: ({ ask, wait }, host) =>
    ask ? host.get('/') : wait ? new Promise((resolve) => setTimeout(resolve, wait)) : undefined }`
const run = (id: number, event: object) => [id, 'onChange', JSON.stringify(event)]

test('a run that is ahead begins when the one before it has ended well, and waits for nothing', async () => {
  const enter = await open(script)
  expect(await enter('run', ...run(1, {}))).toEqual(['done 1 true'])
  expect(await enter('runAhead', ...run(2, {}))).toEqual(['done 2 true'])
  expect(await enter('runAhead', ...run(3, { ask: true }))).toEqual(['call 3 1'])
  expect(await enter('runAhead', ...run(4, {}))).toEqual(['skipped 4'])
})

test('after one that was skipped all are skipped, so that none overtakes it, until a run is begun again', async () => {
  const enter = await open(script)
  await enter('run', ...run(1, { wait: 5 }))
  expect(await enter('runAhead', ...run(2, {}))).toEqual(['skipped 2'])
  expect(await enter('fire', 1)).toEqual(['done 1 true'])
  expect(await enter('runAhead', ...run(3, {}))).toEqual(['skipped 3'])
  expect(await enter('run', ...run(2, {}))).toEqual(['done 2 true'])
  expect(await enter('runAhead', ...run(4, {}))).toEqual(['done 4 true'])
})

test('one that is recalled is skipped, and all that it was handed over with; later ones begin', async () => {
  const recalled = [0]
  const enter = await open(script, recalled)
  expect(await enter('run', ...run(1, {}))).toEqual(['done 1 true'])
  expect(await enter('runAhead', ...run(2, {}))).toEqual(['done 2 true'])
  recalled[0] = 3
  expect(await enter('runAhead', ...run(3, {}))).toEqual(['skipped 3'])
  expect(await enter('runAhead', ...run(4, {}))).toEqual(['skipped 4'])
  expect(await enter('run', ...run(5, {}))).toEqual(['done 5 true'])
  expect(await enter('runAhead', ...run(6, {}))).toEqual(['done 6 true'])
})

test('a run is not over while a call waits that it did not wait for', async () => {
  const enter = await open(
    `var __exports = { onChange: ({ n }, host) => { if (n === 1) void host.get('/') } }`,
  )
  expect(await enter('run', ...run(1, { n: 1 }))).toEqual(['call 1 1', 'done 1 true'])
  expect(await enter('runAhead', ...run(2, { n: 2 }))).toEqual(['skipped 2'])
})

test('a call that was given up is waited for until it is answered', async () => {
  const enter = await open(`var __exports = { onChange({ n }, host) {
    if (n === 2) return
    const controller = new AbortController()
    host.http('http://a/', { signal: controller.signal }).catch(() => {})
    controller.abort()
  } }`)
  expect(await enter('run', ...run(1, { n: 1 }))).toEqual(['call 1 1', 'cancel 1 1', 'done 1 true'])
  expect(await enter('runAhead', ...run(2, { n: 2 }))).toEqual(['skipped 2'])
  expect(await enter('answer', 1, false, '{"code":"http-failed","message":"given up"}')).toEqual([])
  expect(await enter('run', ...run(2, { n: 2 }))).toEqual(['done 2 true'])
  expect(await enter('runAhead', ...run(3, { n: 2 }))).toEqual(['done 3 true'])
})
