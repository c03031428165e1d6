/** The command line: what it understands, what it says, and how it ends. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onstable } from '../support/command-line.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { areInstalled } from '../support/installed.ts'
import { startRestServer } from '../support/rest-server.ts'

test('an unknown command or option is one sentence with the nearest that exists', async () => {
  expect(await onstable(['strat'])).toEqual({
    code: 1,
    output: '',
    errors: "onstable: unknown command 'strat' (Did you mean start?)\n",
  })
  expect((await onstable(['start', '--htp-port', '1'])).errors).toBe(
    "onstable: unknown option '--htp-port' (Did you mean --http-port?)\n",
  )
})

test('help and version go to the standard output and are no failure', async () => {
  const help = await onstable(['start', '--help'])
  expect(help.code).toBe(0)
  expect(help.output).toContain('--stable-age <value>')
  expect(help.output).toContain('Examples:')
  expect((await onstable(['help', 'runs', 'list'])).output).toContain('onstable runs list --outcome')
  expect((await onstable(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('a bad setting and a server that is not there are one sentence, and the code is 1', async () => {
  const bad = await onstable(['start', '--stable-age', 'soon'])
  expect(bad).toMatchObject({ code: 1, output: '' })
  expect(bad.errors).toMatch(/^onstable: Bad value for setting "--stable-age": .*\n$/)
  const nobody = await onstable(['scripts', 'list', '--url', 'http://127.0.0.1:9'])
  expect(nobody.code).toBe(1)
  expect(nobody.errors).toMatch(/^onstable: Cannot reach the server at http:\/\/127\.0\.0\.1:9: .*\n$/)
  expect((await onstable(['send', '/nope/at/all'])).errors).toMatch(
    /^onstable: Cannot read "\/nope\/at\/all".*\n$/,
  )
})

test('settle and unsettle say whether something changed', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  const { ParentStudy: id } = await server.send({})
  const settle = (...more: string[]) => onstable(['settle', 'study', id!, '--url', server.url, ...more])
  expect((await settle()).output).toBe(`study ${id} is stable now\n`)
  expect(JSON.parse((await settle('--json')).output)).toEqual({ level: 'study', id, changed: false })
  const unsettled = await onstable(['unsettle', 'study', id!, '--url', server.url])
  expect(unsettled.output).toBe(`study ${id} is unstable now\n`)
  expect(await onstable(['settle', 'study', 'nope', '--url', server.url])).toEqual({
    code: 1,
    output: '',
    errors: 'onstable: There is no study "nope"\n',
  })
})

test('the token comes from a flag or from the environment', async () => {
  const token = 'a-token-of-sixteen-and-more'
  await using server = await startRestServer({ token })
  const list = ['scripts', 'list', '--url', server.url]
  expect((await onstable(list)).errors).toContain('The server wants its token')
  expect(await onstable([...list, '--token', token])).toMatchObject({
    code: 0,
    output: 'There are no scripts\n',
  })
  expect((await onstable(list, { ONSTABLE_TOKEN: token })).code).toBe(0)
})

test('sending goes through folders, counts what was there, and names what failed', async () => {
  await using server = await startRestServer()
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'deep', 'er'), { recursive: true })
  for (const instance of ['1', '2', '3']) {
    writeFileSync(
      join(folder.path, 'deep', 'er', `${instance}.dcm`),
      dicomFile({ instance, pixelBytes: 300_000 }),
    )
  }
  writeFileSync(join(folder.path, 'notes.txt'), 'not an image')
  writeFileSync(join(folder.path, '.hidden'), 'left out')
  const send = (...more: string[]) => onstable(['send', folder.path, '--url', server.url, ...more])
  const first = await send()
  expect(first).toMatchObject({ code: 1, output: 'sent 3, already stored 0, failed 1\n' })
  expect(first.errors).toBe(
    `onstable: ${join(folder.path, 'notes.txt')}: Cannot parse an invalid DICOM file (size: 12 bytes)\n`,
  )
  const again = await onstable([
    'send',
    join(folder.path, 'deep'),
    '--url',
    server.url,
    '--json',
    '--jobs',
    '2',
  ])
  expect(again.code).toBe(0)
  expect(JSON.parse(again.output)).toEqual({ sent: 0, alreadyStored: 3, filteredOut: 0, failed: [] })
})

test('samples are valid, new every time, and can be sent', async () => {
  await using server = await startRestServer()
  using folder = temporaryFolder()
  for (const name of ['one', 'two']) {
    const path = join(folder.path, name)
    const written = await onstable([
      'sample',
      path,
      '--studies',
      '2',
      '--series',
      '1',
      '--instances',
      '3',
      '--json',
    ])
    expect(JSON.parse(written.output)).toMatchObject({ files: 6 })
    expect((await onstable(['send', path, '--url', server.url])).output).toBe('sent 6, already stored 0\n')
  }
  expect(await server.read('/statistics')).toMatchObject({
    CountStudies: 4,
    CountSeries: 4,
    CountInstances: 12,
  })
})

test('a new script begins with the callback asked for, and never writes over a file', async () => {
  using folder = temporaryFolder()
  const create = (name: string, ...more: string[]) =>
    onstable(['scripts', 'new', name, '--scripts', folder.path, ...more])
  expect((await create('forward', '--callback', 'onStableSeries')).code).toBe(0)
  const text = readFileSync(join(folder.path, 'forward.ts'), 'utf8')
  expect(text).toContain('export async function onStableSeries(')
  expect((await create('forward')).errors).toContain('exists already')
  expect((await create('other', '--callback', 'onStabelStudy')).errors).toContain(
    'did you mean "onStableStudy"?',
  )
  expect((await create('../escape')).errors).toContain('is no name for a script')
})

test('the completion script completes commands and options', async () => {
  const { output } = await onstable(['completion', 'bash'])
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${output}\nCOMP_WORDS=(onstable "$@"); COMP_CWORD=$#; _onstable; echo "\${COMPREPLY[*]}"`,
        '-',
        ...words,
      ],
      { encoding: 'utf8' },
    ).trim()
  expect(complete('sc')).toBe('scripts')
  expect(complete('scripts', '')).toBe('list pause resume drain forget replay check new --help')
  expect(complete('scripts', 'new', '--cal')).toBe('--callback')
})

test.skipIf(!areInstalled('zsh'))('so does that of zsh (needs zsh)', async () => {
  const { output } = await onstable(['completion', 'zsh'])
  const stubs = `compdef() { :; }; compadd() { print -r -- "\${(@M)found:#$words[CURRENT]*}"; }; _files() { :; }`
  const complete = (...words: string[]) =>
    execFileSync(
      'zsh',
      ['-fc', `${stubs}\n${output}\nwords=(onstable "$@"); CURRENT=$(($# + 1)); _onstable`, '-', ...words],
      { encoding: 'utf8' },
    ).trim()
  expect(complete('sc')).toBe('scripts')
  expect(complete('scripts', '')).toBe('list pause resume drain forget replay check new --help')
  expect(complete('scripts', 'new', '--cal')).toBe('--callback')
})
