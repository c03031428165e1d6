import { expect, test } from 'vitest'
import { LastingThread } from '../../src/lib/lasting-thread.ts'

const moody = () =>
  new LastingThread<'answer' | 'refuse' | 'end'>({
    name: 'The moody thread',
    entry: new URL('../support/moody-thread.ts', import.meta.url),
    data: null,
  })

test('one thread answers all, also after it has refused something', async () => {
  const thread = moody()
  const first = await thread.request('answer')
  await expect(thread.request('refuse')).rejects.toThrow('no')
  expect(await thread.request('answer')).toBe(first)
  await thread.close()
})

test('what a thread that ends had in hand fails, and the next request has another', async () => {
  const thread = moody()
  const first = await thread.request('answer')
  const failing = [thread.request('end'), thread.request('answer')]
  const results = await Promise.allSettled(failing)
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(results[0]).toMatchObject({ reason: { message: 'The moody thread has ended' } })
  expect(await thread.request('answer')).not.toBe(first)
  await thread.close()
})

test('a thread that cannot be started is tried anew', async () => {
  const thread = new LastingThread({
    name: 'No thread',
    entry: new URL('./nowhere.ts', import.meta.url),
    data: 0,
  })
  await expect(thread.request('answer')).rejects.toThrow('No thread')
  await expect(thread.request('answer')).rejects.toThrow('No thread')
  await thread.close()
})

test('closing one that was never needed does nothing', async () => {
  await moody().close()
})
