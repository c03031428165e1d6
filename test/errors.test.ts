/** The catalogue of errors: whose fault each is, and how it is answered. */

import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { expect, test } from 'vitest'
import { catalogue, type ErrorCode, fault, isSystemError, messageOf, OnStableError } from '../src/errors.ts'

const entries = Object.entries(catalogue) as [ErrorCode, (typeof catalogue)[ErrorCode]][]
/** These end the start of a server, and are never answered to a request. */
const atStart: readonly ErrorCode[] = ['bad-setting', 'port-in-use', 'data-folder', 'newer-database']

test('what a sender or a script did wrong is answered with 4xx, what went wrong here with 5xx', () => {
  for (const [code, { kind, httpStatus, title }] of entries) {
    if (atStart.includes(code)) continue
    expect([code, Math.floor(httpStatus / 100)]).toEqual([code, kind === 'system' ? 5 : 4])
    expect(STATUS_CODES[httpStatus], code).toBeDefined()
    expect(title, code).not.toBe('')
  }
})

test('an error has its code, its sentence, its entry of the catalogue and what caused it', () => {
  const cause = new Error('below')
  const error = fault('storage-full', 'The disk is full: make room', { cause })
  expect(error).toBeInstanceOf(OnStableError)
  expect(error).toMatchObject({ code: 'storage-full', message: 'The disk is full: make room', cause })
  expect(error.entry).toBe(catalogue['storage-full'])
})

test('anything that is thrown has a message', () => {
  expect([new Error('a'), 'b', 3, null, undefined].map(messageOf)).toEqual([
    'a',
    'b',
    '3',
    'null',
    'undefined',
  ])
})

test('a system error is known by its code', () => {
  const thrown = (() => {
    try {
      return readFileSync('/no/such/file')
    } catch (error) {
      return error
    }
  })()
  expect(isSystemError(thrown, 'EACCES', 'ENOENT')).toBe(true)
  expect(isSystemError(thrown, 'EACCES')).toBe(false)
  expect(isSystemError({ code: 'ENOENT' }, 'ENOENT')).toBe(false)
  expect(isSystemError(new Error('without'), 'ENOENT')).toBe(false)
})
