/** Texts of scripts' making, with the places in them. */
import { expect, it } from 'vitest'
import { mapPlaces, scriptError } from '../../src/runtime/script-error.ts'

const findPlace = (line: number, column: number) => ({ file: 'script.ts', line, column })

it('frames of the script are shown as places of its source, and those around it are left out', () => {
  const stack =
    'Error: x\n    at f (onstable:script:3:4)\n    at ask (onstable:prelude:9:9)\n    at g (onstable:script:1:2)'
  expect(mapPlaces(stack, findPlace)).toBe('Error: x\n    at f (script.ts:3:4)\n    at g (script.ts:1:2)')
})

it.each([
  ['blank lines', '\n'.repeat(1_000_000)],
  ['blanks', `\n${' '.repeat(1_000_000)}`],
  ['frames that are none', '\n at'.repeat(300_000)],
  ['a frame of many places', `\n at ${'onstable:script: '.repeat(60_000)}`],
  ['brackets that are not closed', ' [onstable:'.repeat(100_000)],
])('a long text is gone over once: %s', { timeout: 10_000 }, (_, text) => {
  mapPlaces(`${text}onstable:x`, findPlace)
  scriptError({ name: 'Error', message: text, stack: text }, findPlace)
})
