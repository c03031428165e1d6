/** The memory of a script during a run: seen by the run at once, by others when the run was settled. */
import { expect, test } from 'vitest'
import type { KeyValueWrite, Settlement } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { openTestHost, type TestHost, type TestRun } from '../support/test-host.ts'

type Entry = { readonly key: string }

const key = (name: string) => ({ key: name })
const entry = (name: string, value: unknown) => ({ key: name, value: JSON.stringify(value) })
const entries = (...names: string[]) => ({ value: names.map((name) => ({ key: name, value: name })) })

/** Writes to the memory as a run that ends well does. */
async function commit({ store }: TestHost, keyValueWrites: readonly KeyValueWrite[]): Promise<boolean> {
  const version = { hash: '1', code: '', sourceMap: '' }
  await store.putScript('script.ts', version, [{ type: 'NewInstance', callback: 'onStoredInstance' }])
  await store.record(arrivalOf({ instance: String(Math.random()) }))
  const { leases } = await store.lease({ 'script.ts': 1 }, 60_000)
  const { delivery, fence } = leases[0]!
  const settlement: Settlement = { delivery, fence, next: 'done', delayMs: 0, run: null, keyValueWrites }
  return store.settle(settlement)
}

test('a run reads what it wrote, and what it deleted is gone for it', async () => {
  await using opened = await openTestHost()
  const { call } = opened.begin()
  expect(await call('kv.get', key('a'))).toEqual({ value: null })
  for (const value of [{ n: [1, 'x', null] }, 'text', 0, false, null]) {
    expect(await call('kv.set', entry('a', value))).toEqual({ value: null })
    expect(await call('kv.get', key('a'))).toEqual({ value })
  }
  await call('kv.set', entry('a', 1))
  await call('kv.delete', key('a'))
  expect(await call('kv.get', key('a'))).toEqual({ value: null })
  expect(await call('kv.delete', key('never there'))).toEqual({ value: null })
})

test('nobody else sees it before the run is settled, and everybody after', async () => {
  await using opened = await openTestHost()
  const first = opened.begin()
  await first.call('kv.set', entry('a', 1))
  await first.call('kv.set', entry('b', 2))
  await first.call('kv.delete', key('b'))
  expect(await opened.begin().call('kv.get', key('a'))).toEqual({ value: null })
  expect(await opened.store.keyValue('script.ts', 'a')).toBeNull()
  expect(await commit(opened, first.history.keyValueWrites())).toBe(true)
  expect(await opened.begin().call('kv.get', key('a'))).toEqual({ value: 1 })
  expect(await opened.begin().call('kv.list', { prefix: '', after: null })).toEqual({
    value: [{ key: 'a', value: 1 }],
  })
  expect(await opened.store.keyValue('other.ts', 'a')).toBeNull()
})

test('a list is what is stored, with what the run wrote and without what it deleted, in order', async () => {
  await using opened = await openTestHost()
  await commit(
    opened,
    ['a1', 'a3', 'a5', 'b1'].map((name) => entry(name, name)),
  )
  const { call } = opened.begin()
  for (const name of ['a4', 'a2', 'c', 'a5']) await call('kv.set', entry(name, name))
  await call('kv.delete', key('a3'))
  expect(await call('kv.list', { prefix: 'a', after: null })).toEqual(entries('a1', 'a2', 'a4', 'a5'))
  expect(await call('kv.list', { prefix: '', after: null })).toEqual(
    entries('a1', 'a2', 'a4', 'a5', 'b1', 'c'),
  )
  expect(await call('kv.list', { prefix: '%', after: null })).toEqual(entries())
})

test('a list of more than a thousand entries is refused, and given in pages, whatever the run deleted', async () => {
  await using opened = await openTestHost()
  const names = Array.from({ length: 1_005 }, (_, number) => String(number).padStart(5, '0'))
  await commit(
    opened,
    names.map((name) => entry(name, name)),
  )
  const { call } = opened.begin()
  for (const name of names.slice(0, 3)) await call('kv.delete', key(name))
  expect(await call('kv.list', { prefix: '', after: null })).toMatchObject({
    code: 'too-large',
    message: expect.stringMatching(/^Below "" are more than the 1000 entries of one list/),
  })
  const page = (after: string) => call('kv.list', { prefix: '', after })
  expect(await page('')).toEqual(entries(...names.slice(3, 1_003)))
  await call('kv.set', entry('01003x', '01003x'))
  expect(await page(names[1_002]!)).toEqual(entries('01003', '01003x', '01004'))
  expect(await page('01004')).toEqual(entries())
  for (const name of names.slice(3, 5)) await call('kv.delete', key(name))
  expect(await call('kv.list', { prefix: '', after: null })).toMatchObject({ code: 'too-large' })
  await call('kv.delete', key('01003x'))
  expect(await call('kv.list', { prefix: '', after: null })).toEqual(entries(...names.slice(5)))
})

test('a list leaves out nothing behind what is long and was deleted', async () => {
  await using opened = await openTestHost()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
    await commit(opened, [entry(name, 'x'.repeat(1_000_000))])
  await commit(opened, [entry('g', 'g')])
  const { call } = opened.begin()
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await call('kv.delete', key(name))
  expect(await call('kv.list', { prefix: '', after: null })).toEqual(entries('g'))
})

const tooLarge = {
  code: 'too-large',
  message: 'A run writes at most 1000 keys and 4194304 bytes to its memory: write less, or less often',
}
/** Writes values of so many bytes under new keys, until one is refused. */
async function fill({ call }: TestRun, valueBytes: number): Promise<number> {
  for (let count = 0; ; count++) {
    const result = await call('kv.set', entry(`key ${count}`, 'x'.repeat(valueBytes - 2)))
    if ('code' in result) {
      expect(result).toEqual(tooLarge)
      return count
    }
  }
}

test('a run writes so many keys and so many bytes, and what was refused changes nothing', async () => {
  await using opened = await openTestHost()
  const manyKeys = opened.begin()
  expect(await fill(manyKeys, 10)).toBe(1_000)
  expect(await manyKeys.call('kv.set', entry('key 7', 'again'))).toEqual({ value: null })
  expect(await manyKeys.call('kv.delete', key('one more'))).toEqual(tooLarge)
  expect(manyKeys.history.keyValueWrites()).toHaveLength(1_000)
  const manyBytes = opened.begin()
  expect(await fill(manyBytes, 1024 * 1024 - 5)).toBe(4)
  expect(await manyBytes.call('kv.get', key('key 4'))).toEqual({ value: null })
  await manyBytes.call('kv.delete', key('key 0'))
  expect(await manyBytes.call('kv.set', entry('key 4', 'fits now'))).toEqual({ value: null })
})

test('bytes are counted as they are stored, not as letters', async () => {
  await using opened = await openTestHost()
  const { call } = opened.begin()
  const megabyteOfUmlauts = 'ü'.repeat(524_000)
  for (let number = 0; number < 4; number++) {
    expect(await call('kv.set', entry(String(number), megabyteOfUmlauts))).toEqual({ value: null })
  }
  expect(await call('kv.set', entry('4', megabyteOfUmlauts))).toEqual(tooLarge)
})

test('keys and values that are none are refused, and it is said which', async () => {
  await using opened = await openTestHost()
  const { call, history } = opened.begin()
  const refused: [object, RegExp][] = [
    [entry('', 1), /bad value for "key"/],
    [entry('k'.repeat(513), 1), /bad value for "key"/],
    [entry('k', 'x'.repeat(1024 * 1024)), /bad value for "value"/],
    [{ key: 'k', value: '{' }, /the value is not JSON/],
    [{ key: 'k', value: 1 }, /bad value for "value"/],
    [{ key: 'k' }, /bad value for "value"/],
  ]
  for (const [parameters, message] of refused) {
    expect(await call('kv.set', parameters)).toEqual({
      code: 'bad-host-call',
      message: expect.stringMatching(message),
    })
  }
  expect(history.keyValueWrites()).toEqual([])
})

test('a list of more than 4 MB is refused, and a longer prefix is answered', async () => {
  await using opened = await openTestHost()
  const { call } = opened.begin()
  for (const name of ['a1', 'a2', 'a3', 'b1']) {
    await commit(
      opened,
      ['x', 'y'].map((end) => entry(name + end, 'x'.repeat(900_000))),
    )
  }
  expect(await call('kv.list', { prefix: '', after: null })).toMatchObject({ code: 'too-large' })
  expect(await call('kv.list', { prefix: 'a', after: null })).toMatchObject({ code: 'too-large' })
  expect(await call('kv.list', { prefix: 'a1', after: null })).toMatchObject({
    value: [{ key: 'a1x' }, { key: 'a1y' }],
  })
  const seen: string[] = []
  for (;;) {
    const { value } = (await call('kv.list', { prefix: '', after: seen.at(-1) ?? '' })) as { value: Entry[] }
    if (value.length === 0) break
    expect(value.length).toBeLessThanOrEqual(4)
    seen.push(...value.map((each) => each.key))
  }
  expect(seen).toEqual(['a1x', 'a1y', 'a2x', 'a2y', 'a3x', 'a3y', 'b1x', 'b1y'])
})

test('a script remembers at most 256 MB, and may write again when it has deleted', {
  timeout: 60_000,
}, async () => {
  await using opened = await openTestHost()
  const large = (n: number) => ['w', 'x', 'y', 'z'].map((end) => entry(n + end, 'x'.repeat(1_000_000)))
  for (let n = 0; n < 68; n++) await commit(opened, large(n))
  const full = opened.begin()
  expect(await full.call('kv.set', entry('more', 1))).toMatchObject({ code: 'too-large' })
  for (let n = 0; n < 4; n++)
    for (const end of ['w', 'x', 'y', 'z']) await full.call('kv.delete', key(n + end))
  await commit(opened, full.history.keyValueWrites())
  expect(await opened.begin().call('kv.set', entry('more', 1))).toEqual({ value: null })
})

test('a page has no more than an answer may, however much its characters take', async () => {
  await using opened = await openTestHost()
  const { call } = opened.begin()
  const value = '\u6f22'.repeat(170_000)
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await commit(opened, [entry(name, value)])
  for (const name of ['h', 'i', 'j', 'k', 'l']) await commit(opened, [entry(name, 'x'.repeat(1_048_574))])
  const seen: string[] = []
  for (;;) {
    const answer = (await call('kv.list', { prefix: '', after: seen.at(-1) ?? '' })) as { value: Entry[] }
    if (answer.value.length === 0) break
    seen.push(...answer.value.map((each) => each.key))
  }
  expect(seen.join('')).toBe('abcdefghijkl')
  expect(await call('kv.list', { prefix: '', after: null })).toMatchObject({ code: 'too-large' })
})
