import { expect, it } from 'vitest'
import { placeOfExport } from '../../src/scripts/problem.ts'

it.each([
  ['export const script = {}', 'script', 1, 14],
  ['// script\n\nexport   const a = 1, script = {}', 'script', 3, 23],
  ['const prescript = 1; export const script_ = 1\nexport { x as script }', 'script', 2, 15],
  [`export { x as 'on|(a+)+b' }`, 'on|(a+)+b', 1, 16],
  ['const script = {}', 'script', 1, 1],
  ['', 'script', 1, 1],
])('the place of an export is found: %j', (source, name, line, column) => {
  expect(placeOfExport(source, name)).toEqual({ line, column })
})

it('whatever a source says and a name is, they are gone over once', { timeout: 10_000 }, () => {
  const nowhere = { line: 1, column: 1 }
  expect(placeOfExport(`export ${'a'.repeat(60)}`, 'on|(a+)+b')).toEqual(nowhere)
  expect(placeOfExport('export '.repeat(1_000_000), 'script')).toEqual(nowhere)
  expect(placeOfExport(`export ${'scripts '.repeat(1_000_000)}`, 'script')).toEqual(nowhere)
})
