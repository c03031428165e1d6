/** Bad input at the start of the server: one sentence that says what is wrong and what to do, and the code 1. */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openSqlite } from '../../src/store/store.ts'
import { onstable } from '../support/command-line.ts'
import { temporaryFolder } from '../support/folders.ts'
import { startServer } from '../support/server.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'

interface Start {
  readonly flags?: readonly string[]
  readonly environment?: Record<string, string>
  /** Content of the settings file. */
  readonly file?: string
}

/** Starts a server in a folder, which is expected to fail with one sentence. */
async function failedStart(folder: string, { flags = [], environment = {}, file }: Start): Promise<string> {
  const config = join(folder, 'given.json')
  if (file !== undefined) writeFileSync(config, file)
  const { code, output, errors } = await onstable(
    [
      ...['start', '--log-level', 'silent', '--scripts', join(folder, 'scripts')],
      ...(flags.includes('--data') ? [] : ['--data', join(folder, 'data')]),
      ...(file === undefined ? [] : ['--config', config]),
      ...flags,
    ],
    { ONSTABLE_HTTP_PORT: '0', ONSTABLE_DICOM_PORT: '0', ...environment },
  )
  expect({ code, output }).toEqual({ code: 1, output: '' })
  expect(errors).toMatch(/^onstable: [^\n]*[^\s.]\n$/)
  expect(errors).not.toMatch(/\bat .*:\d+:\d+|node:internal/)
  return errors.slice('onstable: '.length, -1).replaceAll(folder, 'FOLDER')
}

const settings: [string, Start, string][] = [
  [
    'an unknown flag',
    { flags: ['--stabel-age', '5'] },
    "unknown option '--stabel-age' (Did you mean --stable-age?)",
  ],
  [
    'an unknown variable',
    { environment: { ONSTABLE_STABEL_AGE: '5' } },
    'Unknown setting "ONSTABLE_STABEL_AGE" in the environment: did you mean "ONSTABLE_STABLE_AGE"?',
  ],
  [
    'an unknown key of the file',
    { file: '{ "stabelAge": 5 }' },
    'Unknown setting "stabelAge" in FOLDER/given.json: did you mean "stableAge"?',
  ],
  [
    'a bad value of a flag',
    { flags: ['--max-instance-mb', 'much'] },
    'Bad value for setting "--max-instance-mb": Expected megabytes, more than 0 and at most 4096',
  ],
  [
    'a bad value of a variable',
    { environment: { ONSTABLE_STABLE_AGE: '' } },
    'Bad value for setting "ONSTABLE_STABLE_AGE" in the environment: Expected seconds, more than 0 and at most 2592000',
  ],
  [
    'a bad value of the file',
    { file: '{ "overwriteInstances": "Sometimes" }' },
    'Bad value for setting "overwriteInstances" in FOLDER/given.json: Invalid option: expected one of "Never"|"Always"|"IfChanged"',
  ],
  [
    'a settings file that is cut off',
    { file: '{ "stableAge": ' },
    'The settings file "FOLDER/given.json" is not JSON: Unexpected end of JSON input',
  ],
  [
    'an open address without a token',
    { flags: ['--host', '0.0.0.0'] },
    'Listening on "0.0.0.0" opens the server to other machines, which needs a token: set "token" (at least 16 characters), or leave "host" at 127.0.0.1',
  ],
]
test.each(settings)('%s is named, with what was expected', async (_, start, sentence) => {
  using folder = temporaryFolder()
  expect(await failedStart(folder.path, start)).toBe(sentence)
})

test('a DICOM port in use is named, with what to do', async () => {
  using folder = temporaryFolder()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  expect(await failedStart(folder.path, { flags: ['--dicom-port', String(port)] })).toBe(
    `DICOM port ${port} is in use: choose another with --dicom-port, or stop what uses it`,
  )
  await new Promise((resolve) => other.close(resolve))
})

test('a second server on the same data folder is refused, and the first goes on', async () => {
  using folder = temporaryFolder()
  await using server = await startServer({ data: join(folder.path, 'data') })
  expect(await failedStart(folder.path, {})).toBe(
    'The data folder "FOLDER/data" is in use by another server: stop that one, or choose another with --data',
  )
  expect((await fetch(`${server.url}/system`)).status).toBe(200)
})

test('a database of a newer version is left alone, and one that is damaged is named', async () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'index.sqlite')
  await (await openSqlite({ folder: folder.path, clock: Date.now })).close()
  const database = new Database(file)
  const known = database.pragma('user_version', { simple: true })
  database.pragma('user_version = 999')
  database.close()
  const newer = new RegExp(
    `^The database ".*" was written by a newer version \\(its format is 999, this one knows ${known}\\): install that version$`,
  )
  expect(await failedStart(folder.path, { flags: ['--data', folder.path] })).toMatch(newer)
  writeFileSync(file, 'no database at all'.repeat(500))
  expect(await failedStart(folder.path, { flags: ['--data', folder.path] })).toBe(
    '"FOLDER/index.sqlite" is not a database: restore it, or move it away to start anew',
  )
})

test.skipIf(!canMount)(
  'a data folder that may not be written is named, with what to do (needs to mount a disk)',
  async () => {
    using folder = temporaryFolder()
    using disk = smallDisk({ sizeBytes: 1024 * 1024 })
    disk.makeReadOnly()
    for (const data of [disk.path, join(disk.path, 'below')]) {
      const sentence = await failedStart(folder.path, { flags: ['--data', data] })
      expect(sentence).toMatch(new RegExp(`^The data folder "${data}" cannot be (written|made): .*--data`))
    }
  },
)

test('files in the place of the folders are named', async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'scripts'), '')
  expect(await failedStart(folder.path, {})).toMatch(
    /^The scripts folder "FOLDER\/scripts" cannot be made: .*; choose another with --scripts$/,
  )
  mkdirSync(join(folder.path, 'other'))
  writeFileSync(join(folder.path, 'other', 'files'), '')
  expect(await failedStart(folder.path, { flags: ['--data', join(folder.path, 'other')] })).toMatch(
    /^Cannot use the folder "FOLDER\/other\/files" for DICOM files: /,
  )
})
