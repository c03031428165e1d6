/** The server's log, as a terminal and as a file get it. */
import { mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLog, type Log } from '../src/log.ts'

const hostile = '\u001b[2J\u009b31m\u202e\n[12:00:00.000] ERROR: forged'

function written(isTTY: boolean, write: (log: Log) => void): string {
  const file = join(mkdtempSync(join(tmpdir(), 'onstable-log-')), 'log')
  write(createLog('info', { fd: openSync(file, 'w'), isTTY }))
  return readFileSync(file, 'utf8')
}

it('on a terminal, nothing that scripts or senders wrote is an order or looks like a line of ours', () => {
  const shown = written(true, (log) => {
    log.info({ remoteAet: hostile, list: [{ name: hostile }] }, hostile)
    log.warn({ script: hostile }, 'said %s', 'fine')
    log.error(new Error('no fact is lost'), 'it failed')
    log.error({ err: new Error(hostile), [hostile]: { [hostile]: new Date(0) } }, 'it failed')
    const circular: Record<string, unknown> = {}
    log.info({ circular: Object.assign(circular, { circular }) }, 'goes round')
  })
  const colours = /\p{Cc}\[\d\dm/gu
  const plain = shown.replaceAll(colours, '')
  expect(plain.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202e/u)
  expect(plain).toContain('INFO: \\u001b[2J\\u009b31m\\u202e\n    [12:00:00.000] ERROR: forged\n')
  expect(plain).toContain('WARN: said fine\n')
  for (const fact of ['no fact is lost', '1970-01-01', 'goes round']) expect(plain).toContain(fact)
  const [, ...lines] = plain.split('\n').filter((line) => line.includes('forged'))
  for (const line of lines) expect(line).toMatch(/^ {4}/)
})

it('in a file, each is one line of JSON', () => {
  const lines = written(false, (log) => {
    log.info({ reason: hostile }, hostile)
    log.warn('second')
  })
    .trim()
    .split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 30, reason: hostile, msg: hostile },
    { level: 40, msg: 'second' },
  ])
})
