/** The calls of one run take turns, so that a run that asks for much holds up nobody. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openTestHost } from '../support/test-host.ts'

test('the calls of a run are at work one after the other, in the order in which they were made', async () => {
  const begun: string[] = []
  let atWork = 0
  let mostAtWork = 0
  await using host = await openTestHost({
    async get(path) {
      begun.push(path)
      mostAtWork = Math.max(mostAtWork, ++atWork)
      await wait(1)
      atWork--
      return { status: 200, contentType: 'application/json', body: '1' }
    },
  })
  const run = host.begin()
  const paths = Array.from({ length: 20 }, (_, number) => `/instances/${number}`)
  await Promise.all(paths.map((path) => run.call('get', { path })))
  expect(begun).toEqual(paths)
  expect(mostAtWork).toBe(1)
})

test('what other servers take the time of holds up no other call', async () => {
  const sent = Promise.withResolvers<{ sent: number }>()
  await using host = await openTestHost({
    granted: { send: ['ARCHIVE'], http: [] },
    modalities: { ARCHIVE: { aet: 'ARCHIVE', host: '127.0.0.1', port: 104 } },
    send: () => sent.promise,
  })
  const run = host.begin()
  const resource = { level: 'Study', id: '00000000-00000000-00000000-00000000-00000000' }
  const sending = run.call('send', { ...resource, modality: 'ARCHIVE' })
  expect(await run.call('kv.get', { key: 'a' })).toEqual({ value: null })
  sent.resolve({ sent: 3 })
  expect(await sending).toEqual({ value: { sent: 3 } })
})

test('behind a large answer the next call begins when that has left for the child, behind a small one at once', async () => {
  const begun: string[] = []
  await using host = await openTestHost({
    async get(path) {
      begun.push(path)
      return {
        status: 200,
        contentType: 'application/json',
        body: `"${'x'.repeat(Number(path.slice('/studies/'.length)))}"`,
      }
    },
  })
  const { history } = host.begin()
  const left = Promise.withResolvers<void>()
  const sizes = ['/studies/10', '/studies/100000', '/studies/20', '/studies/30']
  const ask = (path: string) =>
    history.answer(
      { name: 'get', argumentsJson: JSON.stringify({ path }) },
      new AbortController().signal,
      left.promise,
    )
  const all = sizes.map(ask)
  await all[1]
  for (let each = 0; each < 10; each++) await new Promise(setImmediate)
  expect(begun).toEqual(sizes.slice(0, 2))
  left.resolve()
  await Promise.all(all)
  expect(begun).toEqual(sizes)
})
