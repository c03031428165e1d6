/** The checker finds nothing where all is right, and whatever is wrong with what is kept. */
import { describe, expect, it } from 'vitest'
import { broken, drop, itFinds, pick } from './broken-worlds.ts'
import { check } from './check.ts'
import { makeSmallWorld } from './small-world.ts'

it('finds nothing where all is right', () => {
  const { history, seen } = makeSmallWorld()
  expect(check(history, seen)).toEqual([])
})

describe('answers', () => {
  itFinds([
    broken(
      'what surprised a client is passed on',
      ({ history }) => history.surprises.push('POST /instances was answered with 500'),
      /answered with 500/,
    ),
    broken(
      'a request is answered while the server lives',
      ({ uploads }) => uploads.a.attempts.unshift({ sentAtMs: 550, endedAtMs: 590, answer: null }),
      /had no answer though the server lived/,
    ),
    broken(
      'what comes first is not said to be there already',
      ({ uploads }) => (uploads.a.attempts[0]!.answer = 'AlreadyStored'),
      /said to be there already/,
    ),
    broken(
      'nothing is taken for new twice',
      ({ uploads }) => uploads.a.attempts.push({ sentAtMs: 700, endedAtMs: 710, answer: 'Success' }),
      /taken for new 2 times/,
    ),
  ])
})

describe('instances', () => {
  itFinds([
    broken(
      'an acknowledged instance has a row',
      ({ uploads, seen }) => {
        const { file } = drop(seen.database.instances, ({ id }) => id === uploads.e.ids.Instance)
        drop(seen.files, (stored) => stored.file === file)
        pick(seen.database.resources, ({ id }) => id === uploads.e.ids.Series).instances -= 1
      },
      /was acknowledged and has no row/,
    ),
    broken(
      'an acknowledged instance is listed',
      ({ uploads, seen }) => seen.rest.instances.delete(uploads.e.ids.Instance),
      /was acknowledged and is not listed/,
    ),
    broken(
      'its file can be read',
      ({ uploads, seen }) => seen.rest.instances.set(uploads.b.ids.Instance, null),
      /its file cannot be read/,
    ),
    broken(
      'it is served byte for byte, as a file where a file was sent',
      ({ uploads, seen }) => (seen.rest.instances.get(uploads.a.ids.Instance)!.file = 'other'),
      /other bytes in the REST interface/,
    ),
    broken(
      'it is stored byte for byte, as a data set where a data set was sent',
      ({ uploads, seen }) =>
        (pick(seen.files, ({ file }) => file.endsWith(uploads.b.ids.Instance)).dataset = 'other'),
      /other bytes in the storage/,
    ),
    broken(
      'what was deleted is gone',
      ({ uploads, seen }) => seen.rest.instances.set(uploads.d.ids.Instance, { file: '', dataset: '' }),
      /is there after its deletion/,
    ),
    broken(
      'nothing is there that was never sent',
      ({ seen }) => seen.rest.instances.set('stranger', { file: '', dataset: '' }),
      /stranger is there and was never sent/,
    ),
  ])
})

describe('files and rows', () => {
  itFinds([
    broken('a row has its file', ({ seen }) => seen.files.pop(), /its file .* is missing/),
    broken('a file is as long as its row says', ({ seen }) => (seen.files[0]!.size -= 1), /and its row says/),
    broken(
      'a file has its row',
      ({ seen }) => seen.files.push({ file: '00000002/x', size: 1, digest: '', dataset: '' }),
      /"00000002\/x" has no row/,
    ),
    broken('nothing waits to be unlinked', ({ seen }) => (seen.database.trash = 2), /2 files wait/),
    broken(
      'the database is whole',
      ({ seen }) => (seen.database.integrity = 'row 7 missing'),
      /damaged: row 7/,
    ),
    broken(
      'no row refers to nothing',
      ({ seen }) => (seen.database.danglingRows = 3),
      /3 rows refer to a row/,
    ),
    broken(
      'a series without instances is gone',
      ({ uploads, seen }) => {
        const row = {
          ...uploads.d.ids,
          row: 9,
          level: 'Series',
          id: uploads.d.ids.Series,
          revision: 0,
          instances: 0,
        }
        seen.database.resources.push({ ...row, parent: uploads.d.ids.Study })
      },
      /has a row and no instance/,
    ),
    broken(
      'an instance has all its parents',
      ({ uploads, seen }) => drop(seen.database.resources, ({ id }) => id === uploads.b.ids.Series),
      /has instances and no row/,
    ),
    broken(
      'a series counts its instances',
      ({ uploads, seen }) =>
        (pick(seen.database.resources, ({ id }) => id === uploads.b.ids.Series).instances = 2),
      /counts 2 instances and has 1/,
    ),
    broken(
      'everything hangs where it belongs',
      ({ uploads, seen }) =>
        (pick(seen.database.resources, ({ id }) => id === uploads.b.ids.Series).parent = uploads.d.ids.Study),
      /hangs below another resource/,
    ),
    broken(
      'what has instances is listed, and nothing else',
      ({ uploads, seen }) => {
        seen.rest.parents.delete(uploads.b.ids.Series)
        seen.rest.parents.set(uploads.d.ids.Study, true)
      },
      /has instances and is not listed/,
      /is listed and has no instance/,
    ),
  ])
})
