import { expect, test } from 'vitest'
import { Places } from '../../src/dispatch/places.ts'

const never = new AbortController().signal

test('those that find no place wait for one in their order, and one that gives up takes none', async () => {
  const places = new Places(2)
  const [first, second] = [await places.take(never), await places.take(never)]
  const taken: string[] = []
  const waiting = (name: string, signal = never) =>
    places.take(signal).then((leave) => {
      taken.push(leave === null ? `${name} gave up` : name)
      return leave
    })
  const impatient = new AbortController()
  const [a, b, c] = [waiting('a'), waiting('b', impatient.signal), waiting('c')]
  impatient.abort()
  await b
  first!()
  await a
  second!()
  const leave = await c
  expect(taken).toEqual(['b gave up', 'a', 'c'])
  leave!()
  expect(await places.take(impatient.signal)).not.toBeNull()
  const full = new Places(0)
  expect(await full.take(impatient.signal)).toBeNull()
})
