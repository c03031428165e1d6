import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { childPids } from '../support/child-pids.ts'
import { openTestLibrary, type TestLibrary } from '../support/test-library.ts'
import { until } from '../support/until.ts'

const says = (text: string) =>
  `export function onStableStudy(study, host) { host.log(${JSON.stringify(text)}) }\n`
const broken = 'export function onStableStudy( {\n'

function statusOf(
  { library }: TestLibrary,
  name: string,
): ReturnType<TestLibrary['library']['list']>[number] | undefined {
  return library.list().find((status) => status.name === name)
}
async function untilInForce(files: TestLibrary, name: string, text: string) {
  await until(`"${text}" to be in force`, async () => {
    if (files.library.get(name) === undefined) return false
    return (await files.logsOf(name).catch((): string[] => [])).includes(text)
  })
}
async function untilProblem(files: TestLibrary, name: string, message: string) {
  return await until(`the problem "${message}"`, () => {
    const status = statusOf(files, name)
    return status?.problem?.message.includes(message) ? status : null
  })
}

test('at start every script of the folder is in force, and shared files and typings are none', async () => {
  await using files = await openTestLibrary({
    files: {
      'a.ts': `import { text } from './lib/text'\nimport type { Host, StableStudy } from 'onstable'
        export function onStableStudy(study: StableStudy, host: Host) { host.log(text) }`,
      'b.js': says('b'),
      'lib/text.ts': `export const text = 'from lib'`,
      '_shared.ts': 'export const x = 1',
      'types.d.ts': 'declare const y: number',
      '.hidden.ts': says('hidden'),
    },
  })
  expect(files.library.list()).toMatchObject([
    { name: 'a.ts', state: 'in-force', callbacks: ['onStableStudy'], problem: null },
    { name: 'b.js', state: 'in-force', problem: null },
  ])
  expect(files.library.names()).toEqual(['a.ts', 'b.js'])
  expect(await files.logsOf('a.ts')).toEqual(['from lib'])
  expect(files.library.get('a.ts')?.subscriptions).toEqual([
    { type: 'StableStudy', callback: 'onStableStudy', key: 'study' },
  ])
  expect((await files.store.scripts()).map(({ name, state }) => [name, state])).toEqual([
    ['a.ts', 'active'],
    ['b.js', 'active'],
  ])
})

test('a saved file is in force, and so is a new one', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one') } })
  const swaps: string[] = []
  files.library.onChange((name) => swaps.push(name))
  files.save({ 'a.ts': says('two') })
  await untilInForce(files, 'a.ts', 'two')
  files.save({ 'b.ts': says('new') })
  await untilInForce(files, 'b.ts', 'new')
  expect(swaps).toEqual(['a.ts', 'b.ts'])
})

test('a change of an imported file reloads every script that imports it, and no other', async () => {
  const importer = `import { text } from './lib/text.ts'\nexport function onStableStudy(s, host) { host.log(text) }`
  await using files = await openTestLibrary({
    files: {
      'a.js': importer,
      'b.js': importer,
      'c.js': says('c'),
      'lib/text.ts': `export const text = 'one'`,
    },
  })
  const swaps: string[] = []
  files.library.onChange((name) => swaps.push(name))
  files.save({ 'lib/text.ts': `export const text = 'two'` })
  await untilInForce(files, 'a.js', 'two')
  await untilInForce(files, 'b.js', 'two')
  expect(swaps.sort()).toEqual(['a.js', 'b.js'])
})

test('a broken save leaves the version before in force and says what is wrong and where', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('good') } })
  const version = files.library.get('a.ts')!.version
  files.save({ 'a.ts': `${says('bad')}\nlet x = ;\n` })
  const status = await untilProblem(files, 'a.ts', 'Unexpected ";"')
  expect(status).toMatchObject({ state: 'in-force', version, problem: { file: 'a.ts', line: 3, column: 9 } })
  expect(await files.logsOf('a.ts')).toEqual(['good'])
  files.save({ 'a.ts': says('good') })
  await until('the problem to be gone', () => statusOf(files, 'a.ts')?.problem === null)
  expect(files.library.get('a.ts')!.version).toBe(version)
})

test('a problem in an imported file is named with that file', async () => {
  await using files = await openTestLibrary({
    files: { 'a.ts': `import './lib/b.ts'\n${says('a')}`, 'lib/b.ts': 'export const b = 1' },
  })
  files.save({ 'lib/b.ts': 'export const b = = 1' })
  const status = await untilProblem(files, 'a.ts', 'Unexpected')
  expect(status.problem).toMatchObject({ file: 'lib/b.ts', line: 1, column: 18 })
})

test('a script that throws while it is loaded is refused with the place in its source', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('good') } })
  files.save({
    'a.ts': `interface Unused { a: string }\n\nexport function initialize() {\n  throw new Error('no licence')\n}\n${says('x')}`,
  })
  const status = await untilProblem(files, 'a.ts', 'no licence')
  expect(status).toMatchObject({ state: 'in-force', problem: { file: 'a.ts', line: 4 } })
  expect(await files.logsOf('a.ts')).toEqual(['good'])
})

test('after a restart a broken file is served in its last good version, and still has its problem', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('good') } })
  files.save({ 'a.ts': broken })
  await untilProblem(files, 'a.ts', 'Expected')
  await files.restart()
  expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'in-force', problem: { file: 'a.ts', line: 2 } })
  expect(await files.logsOf('a.ts')).toEqual(['good'])
})

test('a file that was never good is refused, and served as soon as it is repaired', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': broken } })
  expect(statusOf(files, 'a.ts')).toMatchObject({
    state: 'refused',
    version: null,
    problem: { file: 'a.ts' },
  })
  expect(files.library.get('a.ts')).toBeUndefined()
  expect(await files.store.scripts()).toEqual([])
  files.save({ 'a.ts': says('repaired') })
  await untilInForce(files, 'a.ts', 'repaired')
})

test('a script that waits for a file that is not there is served when that file comes', async () => {
  await using files = await openTestLibrary({
    files: {
      'a.js': `import { t } from './lib/t.ts'\nexport const onStableStudy = (s, host) => host.log(t)`,
    },
  })
  expect(statusOf(files, 'a.js')?.problem?.message).toContain('"./lib/t.ts" is not there')
  files.save({ 'lib/t.ts': `export const t = 'came'` })
  await untilInForce(files, 'a.js', 'came')
})

test('a deleted script is parked with what it is owed, and is served again when it comes back', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one') } })
  const version = files.library.get('a.ts')!.version
  rmSync(join(files.folder, 'a.ts'))
  await until('it to be parked', () => files.library.get('a.ts') === undefined)
  expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'parked', version, callbacks: ['onStableStudy'] })
  expect((await files.store.scripts())[0]?.state).toBe('parked')
  await files.restart()
  expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'parked', version })
  files.save({ 'a.ts': says('one') })
  await untilInForce(files, 'a.ts', 'one')
  expect((await files.store.scripts())[0]?.state).toBe('active')
})

test('a script that another server forgot is put in force anew if its file is here, and else served no more', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one'), 'b.ts': says('b') } })
  const forget = async (name: string) => {
    await files.store.parkScript(name)
    expect(await files.store.forgetScript(name)).toBe(true)
  }
  const agree = async () => {
    const rows = (await files.store.scripts()).map((row) => ({ ...row, version: row.version.hash }))
    files.library.agree(rows, performance.now())
  }
  await forget('a.ts')
  await agree()
  await until('it to be known again', async () => (await files.store.scripts()).length === 2)
  await untilInForce(files, 'a.ts', 'one')
  rmSync(join(files.folder, 'b.ts'))
  await until('it to be parked', () => files.library.get('b.ts') === undefined)
  await forget('b.ts')
  await until('it to be gone', async () => {
    await agree()
    return files.library.list().length === 1
  })
  expect(await files.library.forget('a.ts')).toBe('file-there')
  expect(await files.library.forget('b.ts')).toBe('never-in-force')
})

test('a script that was deleted while nothing ran is parked at start', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one'), 'b.ts': says('b') } })
  renameSync(join(files.folder, 'a.ts'), join(files.folder, 'c.ts'))
  await files.restart()
  expect(files.library.list().map(({ name, state }) => [name, state])).toEqual([
    ['a.ts', 'parked'],
    ['b.ts', 'in-force'],
    ['c.ts', 'in-force'],
  ])
})

const waysToSave: Record<string, (path: string, text: string) => Promise<void> | void> = {
  'in place': writeFileSync,
  'by a new file that takes the name': (path, text) => {
    writeFileSync(`${path}.tmp`, text)
    renameSync(`${path}.tmp`, path)
  },
  'by moving the old one away first': (path, text) => {
    renameSync(path, `${path}~`)
    writeFileSync(path, text)
    rmSync(`${path}~`)
  },
  'by deleting and creating': async (path, text) => {
    rmSync(path)
    await sleep(30)
    writeFileSync(path, text)
  },
  'piece by piece': async (path, text) => {
    writeFileSync(path, '')
    for (const piece of text.match(/.{1,40}/gs) ?? []) {
      appendFileSync(path, piece)
      await sleep(20)
    }
  },
}
for (const [way, write] of Object.entries(waysToSave)) {
  test(`a file saved ${way} is in force as a whole, and never in part or gone`, async () => {
    const text = (content: string) =>
      `${says('part')}\n// ${'filler '.repeat(20)}\n${says(content).replace('Study(', 'Series(').replace('onStable', 'onStable')}`
    await using files = await openTestLibrary({ files: { 'a.js': text('one') } })
    const seen = new Set<string>()
    files.library.onChange((name) => seen.add(JSON.stringify(files.library.get(name)?.callbacks ?? 'none')))
    await write(join(files.folder, 'a.js'), text('two'))
    await until('the new one to be in force', async () =>
      (await files.logsOf('a.js', 'onStableSeries')).includes('two'),
    )
    expect([...seen]).toEqual(['["onStableStudy","onStableSeries"]'])
    expect(statusOf(files, 'a.js')?.problem).toBeNull()
  })
}

test('of many saves in a row the last one wins, and each version is whole', async () => {
  await using files = await openTestLibrary({ files: { 'a.js': says('0') } })
  for (let save = 1; save <= 30; save++) {
    files.save({ 'a.js': says(String(save)) })
    if (save % 3 === 0) await sleep(save * 5)
  }
  await untilInForce(files, 'a.js', '30')
  await sleep(200)
  expect(await files.logsOf('a.js')).toEqual(['30'])
  expect((await files.store.scripts())[0]?.version.hash).toBe(files.library.get('a.js')?.version)
})

test('two files saved at once are both in force', async () => {
  const importer = `import { text } from './lib/text.ts'\nexport function onStableStudy(s, host) { host.log('one ' + text) }`
  await using files = await openTestLibrary({
    files: { 'a.js': importer, 'lib/text.ts': `export const text = '1'` },
  })
  files.save({ 'a.js': importer.replace('one', 'two'), 'lib/text.ts': `export const text = '2'` })
  await untilInForce(files, 'a.js', 'two 2')
})

test('a save with the same content changes nothing', async () => {
  await using files = await openTestLibrary({ files: { 'a.js': says('one'), 'b.js': says('b') } })
  const swaps: string[] = []
  files.library.onChange((name) => swaps.push(name))
  files.save({ 'a.js': says('one') })
  files.save({ 'b.js': says('later') })
  await untilInForce(files, 'b.js', 'later')
  expect(swaps).toEqual(['b.js'])
})

test('a script that is taken back to its version before while it runs ends its run and is served', async () => {
  await using files = await openTestLibrary({
    files: {
      'a.js': `export const onStableStudy = async (s, host) => { await host.get('/system'); host.log('one') }`,
    },
  })
  const one = readFileSync(join(files.folder, 'a.js'), 'utf8')
  const first = files.library.get('a.js')!.version
  // Runs of the first version wait for the gate, so that only the version can be asked for.
  const untilVersion = (what: string, isIt: (version: string | undefined) => boolean) =>
    until(what, () => isIt(files.library.get('a.js')?.version))
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const running = files.runtime.run({
    version: first,
    callback: 'onStableStudy',
    event: '{}',
    answer: async () => {
      asked.resolve()
      await gate
      return { ok: true, value: 'null' }
    },
  })
  await asked.promise
  files.save({ 'a.js': says('two') })
  await untilVersion('the second version', (version) => version !== undefined && version !== first)
  files.save({ 'a.js': one })
  await untilVersion('the first version again', (version) => version === first)
  open()
  expect((await running).outcome).toBe('ok')
  await untilInForce(files, 'a.js', 'one')
  expect(await files.logsOf('a.js')).toEqual(['one'])
})

test('two scripts with the same content are two versions', async () => {
  await using files = await openTestLibrary({ files: { 'a.js': says('same'), 'b.js': says('same') } })
  rmSync(join(files.folder, 'a.js'))
  await until('one to be parked', () => files.library.get('a.js') === undefined)
  expect(await files.logsOf('b.js')).toEqual(['same'])
})

test('a script that needs what it is not granted is refused, with the lines that grant it', async () => {
  const source = `export const script = { needs: { send: ['PACS1'] } }\n${says('x')}`
  await using files = await openTestLibrary({
    files: { 'a.js': source, 'b.js': source },
    grants: { 'b.js': { send: ['PACS1'], http: [] } },
  })
  expect(statusOf(files, 'b.js')).toMatchObject({ state: 'in-force', needs: { send: ['PACS1'], http: [] } })
  const refused = statusOf(files, 'a.js')
  expect(refused).toMatchObject({ state: 'refused', problem: { file: 'a.js', line: 1, column: 14 } })
  expect(refused?.problem?.message).toContain('send to "PACS1"')
  expect(refused?.problem?.message).toContain('{"grants":{"a.js":{"send":["PACS1"],"http":[]}}}')
})

test('a script is loaded with the limits that it asks for, and asked for them before it is initialized', async () => {
  await using files = await openTestLibrary({
    files: {
      'a.js': `export const script = { timeout: '200ms', memoryMb: 16 }
        export const initialize = () => {}
        export function onStableStudy() { for (;;); }`,
    },
  })
  expect(files.library.get('a.js')?.manifest).toMatchObject({ timeoutMs: 200, memoryMb: 16 })
  expect(await files.run('a.js', 'onStableStudy')).toMatchObject({ outcome: 'timed-out' })
  expect(files.library.get('a.js')?.callbacks).toEqual(['initialize', 'onStableStudy'])
})

test('a misspelt callback is refused before anything of the script is called', async () => {
  await using files = await openTestLibrary({
    files: {
      'a.js': `export const initialize = () => { throw new Error('called') }\nexport const onStableStudi = () => {}`,
    },
  })
  expect(statusOf(files, 'a.js')?.problem).toMatchObject({
    message: 'Callback "onStableStudi" is unknown: did you mean "onStableStudy"?',
    file: 'a.js',
    line: 2,
    column: 14,
  })
})

test('an empty file exports no callback, too', async () => {
  await using files = await openTestLibrary({ files: { 'a.js': '', 'b.ts': '// nothing yet\n' } })
  for (const name of ['a.js', 'b.ts']) {
    expect(statusOf(files, name)?.problem?.message).toMatch(/exports no callback.*subfolder/)
  }
})

test('a file that exports no callback is refused and told where shared code belongs', async () => {
  await using files = await openTestLibrary({ files: { 'a.js': 'export const x = 1' } })
  expect(statusOf(files, 'a.js')?.problem?.message).toMatch(/exports no callback.*subfolder/)
})

test('editors find the typings without any set-up, and a tsconfig of the user is left alone', async () => {
  await using files = await openTestLibrary()
  for (const name of ['onstable.d.ts', 'events.d.ts', 'globals.d.ts']) {
    const typings = readFileSync(new URL(`../../sandbox/${name}`, import.meta.url), 'utf8')
    expect(readFileSync(join(files.folder, '.onstable', name), 'utf8')).toBe(typings)
  }
  expect(JSON.parse(readFileSync(join(files.folder, 'tsconfig.json'), 'utf8')).include).toContain(
    '.onstable/*.d.ts',
  )
  writeFileSync(join(files.folder, 'tsconfig.json'), '{ "include": [] }')
  await files.restart()
  expect(readFileSync(join(files.folder, 'tsconfig.json'), 'utf8')).toBe('{ "include": [] }')
  expect(files.library.list()).toEqual([])
})

test.each([
  ['loops at its top level', 'for (;;);'],
  ['loops in initialize', 'export function initialize() { for (;;); }'],
  ['waits for ever in initialize', 'export const initialize = () => new Promise(() => {})'],
])('a save that %s is given up when a newer one comes', { timeout: 15_000 }, async (_, text) => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one') } })
  files.save({ 'a.ts': `${text}\nexport function onStableStudy() {}` })
  await sleep(500)
  const began = performance.now()
  files.save({ 'a.ts': says('two') })
  await untilInForce(files, 'a.ts', 'two')
  // By itself it would be refused after five seconds at the earliest.
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'in-force', problem: null })
})

test('a suspended version is not served, also after a restart, until it is resumed', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one') } })
  const { version } = files.library.get('a.ts')!
  await files.library.suspend('a.ts', 'another version', 'not meant')
  expect(files.library.names()).toEqual(['a.ts'])
  await files.library.suspend('a.ts', version, 'it does harm')
  for (const when of ['at once', 'after a restart']) {
    expect(files.library.get('a.ts'), when).toBeUndefined()
    expect(files.library.names()).toEqual([])
    expect(statusOf(files, 'a.ts')).toMatchObject({
      state: 'suspended',
      version,
      problem: { message: 'it does harm', file: 'a.ts' },
    })
    if (when === 'at once') await files.restart()
  }
  expect(await files.library.resume('a.ts')).toBe(true)
  expect(await files.library.resume('a.ts')).toBe(false)
  expect(await files.library.resume('b.ts')).toBeNull()
  expect(await files.logsOf('a.ts')).toEqual(['one'])
  await files.restart()
  expect(files.library.names()).toEqual(['a.ts'])
})

test('a suspended script is served again once it is saved, changed or not, and by no other save', async () => {
  await using files = await openTestLibrary({ files: { 'a.ts': says('one') } })
  const saves = [
    ['one', says('one')],
    ['one', `// Looked at.\n${says('one')}`],
    ['two', says('two')],
  ] as const
  for (const [text, source] of saves) {
    await files.library.suspend('a.ts', files.library.get('a.ts')!.version, 'it does harm')
    files.save({ 'b.ts': says(`beside ${source}`) })
    await untilInForce(files, 'b.ts', `beside ${source}`)
    expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'suspended' })
    // The time of a file may be told in steps of some milliseconds.
    await sleep(20)
    files.save({ 'a.ts': source })
    await untilInForce(files, 'a.ts', text)
    expect(statusOf(files, 'a.ts')).toMatchObject({ state: 'in-force', problem: null })
  }
})

test('a folder that is filled later and a folder of imports that is moved in are seen', async () => {
  await using files = await openTestLibrary()
  const outside = join(files.folder, '..', 'prepared')
  mkdirSync(outside)
  writeFileSync(join(outside, 'text.ts'), `export const text = 'moved'`)
  files.save({
    'a.js': `import { text } from './lib/text.ts'\nexport const onStableStudy = (s, host) => host.log(text)`,
  })
  await untilProblem(files, 'a.js', 'is not there')
  renameSync(outside, join(files.folder, 'lib'))
  await untilInForce(files, 'a.js', 'moved')
})

test.each([
  [
    'too large',
    (path: string) => writeFileSync(path, `// ${'\u0001'.repeat(9_000_000)}`),
    'larger than 8 MB',
  ],
  [
    'UTF-16',
    (path: string) => writeFileSync(path, Buffer.from(`\ufeff${says('wide')}`, 'utf16le')),
    'save it as UTF-8',
  ],
  ['a pipe', (path: string) => void execFileSync('mkfifo', [path]), 'not a file'],
])('what is %s is refused unread, and other scripts are served', async (_, make, message) => {
  await using files = await openTestLibrary()
  make(join(files.folder, 'odd.ts'))
  await untilProblem(files, 'odd.ts', message)
  files.save({ 'other.ts': says('served') })
  await untilInForce(files, 'other.ts', 'served')
})

test('a comment names no file that is read', async () => {
  await using opened = await openTestLibrary({
    files: {
      'script.ts': `export const onStableStudy = () => { throw new Error('here') }\n//# sourceMappingURL=../secret.txt`,
      '../secret.txt': 'secret',
    },
  })
  expect(opened.library.list()[0]!.problem).toBeNull()
  expect((await opened.run('script.ts', 'onStableStudy')).error).toMatchObject({ file: 'script.ts', line: 1 })
})

test('there is no require, not even one that refuses', async () => {
  await using opened = await openTestLibrary({
    files: {
      'script.ts': `export const onStableStudy = () => { console.log(typeof require, 'x'.length); null.x }`,
    },
  })
  const { logs, error } = await opened.run('script.ts', 'onStableStudy')
  expect(logs.map(({ text }) => text)).toEqual(['undefined 1'])
  expect(error).toMatchObject({ line: 1 })
})

test('a script that never ends its beginning holds up neither the start for long nor the end', async () => {
  const endless = `export const script = { timeout: '1h' }
    export const initialize = () => new Promise(() => {})
    export function onStableStudy() {}`
  const opened = await openTestLibrary({ files: { 'a.js': endless } })
  expect(opened.library.list()).toMatchObject([{ state: 'refused', problem: { message: /10,?000 ms/ } }])
  opened.save({ 'a.js': `${endless}\n// again` })
  // It has been read by then, and is at its beginning.
  await sleep(1_500)
  const closeAt = performance.now()
  await opened[Symbol.asyncDispose]()
  expect(performance.now() - closeAt).toBeLessThan(8_000)
}, 60_000)

test('a script whose isolates may hold more than 512 MB together has a process of its own', async () => {
  const of = (memoryMb: number, concurrency: number) =>
    `export const script = { memoryMb: ${memoryMb}, concurrency: ${concurrency} }\n${says('here')}`
  await using files = await openTestLibrary({ files: { 'usual.ts': of(64, 8) } })
  const children = () => childPids('child/entry.ts').length
  await until('the child in use and its spare', () => children() === 2)
  files.save({ 'large.ts': of(64, 16) })
  await untilInForce(files, 'large.ts', 'here')
  await until('a third', () => children() === 3)
})
