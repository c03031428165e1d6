/** `crypto` inside an isolate: the values that it gives, and that no isolate gives those of another. */
import { createCipheriv } from 'node:crypto'
import { createContext, runInContext } from 'node:vm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compileScript } from '../../src/scripts/load.ts'
import { openTestLibrary, type TestLibrary } from '../support/test-library.ts'

const draw = `export function onChange() {
  for (let n = 0; n < 1_000; n++) crypto.randomUUID()
  console.log(crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(4)).join())
}`

let library: TestLibrary
beforeAll(async () => {
  library = await openTestLibrary({
    files: {
      'draw.js': draw,
      'same.js': draw,
      'arrays.js': `export function onChange() {
        for (const Kind of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array,
          Uint32Array, BigInt64Array, BigUint64Array]) {
          const all = new Kind(1_002)
          const part = all.subarray(1, 1_001)
          const isSame = crypto.getRandomValues(part) === part
          const rare = new Set(part).size < 100
          console.log(Kind.name, isSame, rare, all[0] == 0 && all[1_001] == 0)
        }
        console.log(crypto.getRandomValues(new Uint8Array(65_536)).filter((byte) => byte === 0).length < 1_000)
        console.log(crypto.getRandomValues(new (class Mine extends Uint8Array {})(0)).constructor.name)
      }`,
      'refused.js': `export function onChange() {
        const { getRandomValues } = crypto
        for (const array of [new Float32Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1)),
          new Uint8Array(65_537), new BigInt64Array(8_193), [1], new ArrayBuffer(1), undefined])
          try { getRandomValues(array); console.log('taken') } catch (error) {
            console.log(error.name, error instanceof DOMException)
          }
      }`,
      'place.ts': `export function onChange() {\n  crypto.getRandomValues(new Uint8Array(100_000))\n}`,
    },
  })
}, 30_000)
afterAll(() => library?.[Symbol.asyncDispose]())

it('every array of integers is filled, it alone, and whole', async () => {
  const kinds = 'Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 BigInt64 BigUint64'.split(' ')
  expect(await library.logsOf('arrays.js', 'onChange')).toEqual([
    ...kinds.map((kind) => `${kind}Array true false true`),
    'true',
    'Mine',
  ])
})

it('what is no array of integers, or longer than the standard allows, is refused by its name', async () => {
  expect(await library.logsOf('refused.js', 'onChange')).toEqual([
    ...Array(3).fill('TypeMismatchError true'),
    ...Array(2).fill('QuotaExceededError true'),
    ...Array(3).fill('TypeError false'),
  ])
  expect((await library.run('place.ts', 'onChange')).error).toMatchObject({
    name: 'QuotaExceededError',
    message: 'getRandomValues fills at most 65536 bytes, not 100000',
    file: 'place.ts',
    line: 2,
  })
})

it('no two isolates draw the same, not even of one version', async () => {
  const drawn: string[] = []
  const drawAgain = async () => {
    for (const script of ['draw.js', 'same.js']) drawn.push(...(await library.logsOf(script, 'onChange')))
  }
  await drawAgain()
  await drawAgain()
  const { version } = library.library.get('draw.js')!
  await library.restart()
  expect(library.library.get('draw.js')!.version).toBe(version)
  await drawAgain()
  expect(new Set(drawn.flatMap((line) => line.split(' '))).size).toBe(12)
})

it('a program that names it is the same program every time', async () => {
  const compile = () => compileScript({ folder: library.folder, name: 'draw.js', read: async () => draw })
  const [first, second] = [await compile(), await compile()]
  expect(second).toEqual(first)
})

it('the numbers are those of ChaCha20, whose key is replaced by the first of each piece', async () => {
  const source = 'export const draw = (length) => crypto.getRandomValues(new Uint8Array(length))'
  const { code } = await compileScript({
    folder: library.folder,
    name: 'draw.js',
    read: async () => source,
  })
  const seed = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7))
  const context = createContext({ __seed: seed.toString('hex'), DOMException })
  runInContext(code, context)
  const draw = (length: number): Uint8Array => runInContext(`__exports.draw(${length})`, context)
  const drawn = Buffer.concat([1, 15, 464, 480, 3, 2_000].map(draw))

  const expected: Buffer[] = []
  for (let key = seed; expected.length < 7; ) {
    const stream = createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(512))
    key = stream.subarray(0, 32)
    expected.push(stream.subarray(32))
  }
  expect(drawn.toString('hex')).toBe(Buffer.concat(expected).subarray(0, drawn.length).toString('hex'))
})
