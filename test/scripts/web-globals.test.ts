/** What scripts may use of the web's globals: there where a script names it, typed, and within the run's limits. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compileScript } from '../../src/scripts/load.ts'
import { openTestLibrary, type TestLibrary } from '../support/test-library.ts'

const expressions: Record<string, string> = {
  'new URL("../b?x=ä#h", "https://exämple.org:443/a/c").href': 'https://xn--exmple-cua.org/b?x=%C3%A4#h',
  'new URL("http://user@[::1]:81/%41").host': '[::1]:81',
  'URL.canParse("no url")': 'false',
  'String(new URLSearchParams({ PatientName: "Müller^A&B" }))': 'PatientName=M%C3%BCller%5EA%26B',
  '[...new URLSearchParams("a=1&a=2&b=+")].join("|")': 'a,1|a,2|b, ',
  'new TextEncoder().encode("é€😀").join()': '195,169,226,130,172,240,159,152,128',
  'new TextDecoder().decode(new Uint8Array([226, 130, 172, 255]))': '€\ufffd',
  'new TextDecoder("latin1").decode(new Uint8Array([233]))': 'é',
  '/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())': 'true',
  '"__seed" in globalThis': 'false',
  'AbortSignal.any([AbortSignal.abort("why"), new AbortController().signal]).reason': 'why',
  'new TextDecoder("utf-16le").decode(new Uint8Array([60, 216, 7, 223]))': '🌇',
}

let library: TestLibrary
beforeAll(async () => {
  const source = Object.keys(expressions).map((text) => `console.log(${text})`)
  library = await openTestLibrary({
    files: {
      'all.ts': `export function onChange() {\n${source.join('\n')}\n}`,
      'hostile.js': `export function onChange() { for (;;) new URL('https://example.org/?' + 'a'.repeat(1e6)) }
        export const script = { timeout: '1s' }`,
      'wrong.ts': 'export function onChange() {\n  const text = "no url"\n  return new URL(text)\n}',
      'typed.ts': `import type { Host, StableStudy } from 'onstable'
        export async function onStableStudy(study: StableStudy, host: Host) {
          const controller = new AbortController()
          controller.signal.addEventListener('abort', ({ target }) => console.log(target.reason), { once: true })
          const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(5)])
          await host.http('http://a/', { method: 'POST', body: { id: crypto.randomUUID() }, signal })
        }`,
      'own.js': `const URL = 'mine'\nexport function onChange() { console.log(URL) }`,
    },
  })
}, 30_000)
afterAll(() => library?.[Symbol.asyncDispose]())

it('URLs, texts as bytes, random values and signals are what they are elsewhere', async () => {
  expect(await library.logsOf('all.ts', 'onChange')).toEqual(Object.values(expressions))
})

it('the timeout of a run holds inside them, too', async () => {
  expect((await library.run('hostile.js', 'onChange')).outcome).toBe('timed-out')
})

it('an error from inside them is the line of the script, and names no folder of this machine', async () => {
  const { error } = await library.run('wrong.ts', 'onChange')
  expect(error).toMatchObject({ name: 'TypeError', file: 'wrong.ts', line: 3 })
  const files = [...error!.stack.matchAll(/\(([^()]*):\d+:\d+\)/g)].map(([, file]) => file)
  expect(files.at(-1)).toBe('wrong.ts')
  expect(files.filter((file) => !/^(node_modules\/core-js-pure\/|wrong\.ts$)/.test(file!))).toEqual([])
})

it('a name of the script comes first', async () => {
  expect(await library.logsOf('own.js', 'onChange')).toEqual(['mine'])
})

it('a program has only those that it names', async () => {
  const sizeOf = async (text: string) => {
    const read = async () => text
    return (await compileScript({ folder: library.folder, name: 'all.ts', read })).code.length
  }
  const none = await sizeOf('export function onChange() { return "no URL" }')
  const encoder = await sizeOf('export function onChange() { new TextEncoder() }')
  const url = await sizeOf('export function onChange() { new URL("a:") }')
  const crypto = await sizeOf('export function onChange() { crypto.randomUUID() }')
  expect(none).toBeLessThan(2_000)
  expect(crypto).toBeLessThan(20_000)
  expect(encoder).toBeLessThan(60_000)
  expect(url).toBeLessThan(200_000)
})

it('an editor knows their types without any set-up', () => {
  const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
  const check = spawnSync(process.execPath, [compiler, '-p', join(library.folder, 'tsconfig.json')])
  expect(check.stdout.toString()).toBe('')
  expect(check.status).toBe(0)
}, 30_000)
