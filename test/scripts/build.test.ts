/** What a source may cost to compile, and what becomes of others that are compiled meanwhile. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { compileScript } from '../../src/scripts/load.ts'
import { temporaryFolder } from '../support/folders.ts'

afterAll(() => stop())

const harmless = 'export const onStoredInstance = () => 1'

async function compile(folder: string, name: string, text: string) {
  writeFileSync(join(folder, name), text)
  return await compileScript({ folder, name, read: async () => text })
}

const doubled = Array.from({ length: 60 }, (_, n) => `a${n + 1} = a${n} + a${n}`).join()

test.each([
  ['is nested a million deep', '('.repeat(1e6)],
  ['doubles a text sixty times', `enum E { a0 = 'xxxxxxxx', ${doubled} }; E.a60`],
])(
  'a source that %s is refused, and others are compiled meanwhile and afterwards',
  {
    timeout: 60_000,
  },
  async (_, text) => {
    using folder = temporaryFolder()
    const hostile = compile(folder.path, 'hostile.ts', text)
    const others = [1, 2, 3].map((n) => compile(folder.path, `other-${n}.ts`, `${harmless} + ${n}`))
    await expect(hostile).rejects.toThrow(/ to compile$|^The compiler ended/)
    expect((await Promise.all(others)).map(({ inputs }) => inputs)).toEqual(
      [1, 2, 3].map((n) => [`other-${n}.ts`]),
    )
    expect((await compile(folder.path, 'next.ts', harmless)).inputs).toEqual(['next.ts'])
  },
)

test('a compiler that was ended from outside is started again', async () => {
  using folder = temporaryFolder()
  await compile(folder.path, 'a.ts', harmless)
  const compiling = compile(folder.path, 'b.ts', `${harmless} + 2`)
  await stop()
  expect((await compiling).inputs).toEqual(['b.ts'])
})
