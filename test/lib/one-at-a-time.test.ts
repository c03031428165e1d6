/** Work in turns: in order for one key, at once for several, and no memory of what has ended. */
import { expect, test } from 'vitest'
import { oneAtATime } from '../../src/lib/one-at-a-time.ts'

/** Work that ends when it is told to, and notes when it begins. */
function controlled(begun: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const work = () => {
    begun.push(name)
    return promise
  }
  return { work, end: () => resolve(name), fail: () => reject(new Error(name)) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('work for the same key begins when the one before has ended, also with an error', async () => {
  const begun: string[] = []
  const inTurn = oneAtATime()
  const [one, two, three] = ['one', 'two', 'three'].map((name) => controlled(begun, name))
  const results = [one, two, three].map((each) => inTurn('key', each!.work))
  const failed = expect(results[0]).rejects.toThrow('one')
  await settled()
  expect(begun).toEqual(['one'])
  one!.fail()
  await failed
  await settled()
  expect(begun).toEqual(['one', 'two'])
  two!.end()
  three!.end()
  expect(await Promise.all(results.slice(1))).toEqual(['two', 'three'])
  expect(begun).toEqual(['one', 'two', 'three'])
})

test('work for other keys does not wait, and neither does work that comes when all has ended', async () => {
  const begun: string[] = []
  const inTurn = oneAtATime()
  const [one, two, three] = ['one', 'two', 'three'].map((name) => controlled(begun, name))
  const first = inTurn('a', one!.work)
  inTurn('b', two!.work)
  expect(begun).toEqual(['one', 'two'])
  one!.end()
  await first
  await settled()
  inTurn('a', three!.work)
  expect(begun).toEqual(['one', 'two', 'three'])
})
