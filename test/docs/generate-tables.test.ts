/** The tables of README.md are made from the code. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withTables } from '../../docs/generate-tables.ts'
import { root } from '../support/source-files.ts'

const readme = join(root, 'README.md')
test.skipIf(!existsSync(readme))('the tables of README.md are those of the code', () => {
  const text = readFileSync(readme, 'utf8')
  expect(text).toBe(withTables(text))
})

test('tables are written between their markers, and a missing marker is an error', () => {
  const marked = [
    '<!-- settings: made by docs/generate-tables.ts -->',
    'what stood here',
    '<!-- /settings -->',
    '<!-- callbacks: made by docs/generate-tables.ts -->',
    '<!-- /callbacks -->',
  ].join('\n')
  const text = withTables(marked)
  expect(text).toContain('| `stableAge` | `--stable-age` | `60` |')
  expect(text).toContain('| `onStableStudy` |')
  expect(text).not.toContain('what stood here')
  expect(withTables(text)).toBe(text)
  expect(() => withTables('nothing')).toThrow(/Expected the markers/)
})
