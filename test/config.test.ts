/** The settings: where they come from, which wins, and what is said about bad ones. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { flagOf, readSettings, type SettingName, settingsSchema, variableOf } from '../src/config.ts'
import { temporaryFolder } from './support/folders.ts'

function fileWith(content: unknown) {
  const folder = temporaryFolder()
  const path = join(folder.path, 'onstable.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

test('without anything the defaults hold', () => {
  expect(readSettings({}, {}, null)).toMatchObject({
    host: '127.0.0.1',
    httpPort: 8042,
    dicomPort: 4242,
    stableAge: 60,
    overwriteInstances: 'Never',
    grants: {},
  })
})

test('a flag wins over a variable, a variable over the file, the file over the default', () => {
  using file = fileWith({ stableAge: 10, httpPort: 1001, name: 'from file' })
  const environment = { ONSTABLE_STABLE_AGE: '20', ONSTABLE_HTTP_PORT: '1002' }
  const settings = readSettings({ stableAge: '30', httpPort: undefined }, environment, file.path)
  expect(settings).toMatchObject({ stableAge: 30, httpPort: 1002, name: 'from file', dicomPort: 4242 })
})

test('the file can be named in the environment, and has to be there if it is named', () => {
  using file = fileWith({ name: 'named' })
  expect(readSettings({}, { ONSTABLE_CONFIG: file.path }, null).name).toBe('named')
  expect(() => readSettings({}, {}, '/nope/onstable.json')).toThrow(
    /^Cannot read the settings file "\/nope\/onstable.json"/,
  )
})

test('lists and structures come as text from the environment', () => {
  const settings = readSettings(
    {},
    {
      ONSTABLE_ALLOWED_HOSTS: 'a.example.org,b.example.org',
      ONSTABLE_MODALITIES: '{"PACS1":{"aet":"STORE","host":"127.0.0.1","port":104}}',
      ONSTABLE_GRANTS: '{"forward.ts":{"send":["PACS1"]}}',
      ONSTABLE_CHECK_CALLED_AET: 'yes',
    },
    null,
  )
  expect(settings.allowedHosts).toEqual(['a.example.org', 'b.example.org'])
  expect(settings.modalities.PACS1).toEqual({ aet: 'STORE', host: '127.0.0.1', port: 104 })
  expect(settings.grants['forward.ts']).toEqual({ send: ['PACS1'], http: [] })
  expect(settings.checkCalledAet).toBe(true)
  expect(() => readSettings({}, { ONSTABLE_GRANTS: '{' }, null)).toThrow(/"ONSTABLE_GRANTS" is not JSON/)
})

test('a server among several is refused where there is no store to share', () => {
  expect(() => readSettings({ node: 'a' }, {}, null)).toThrow(/^Bad value for setting "--node": .*"store"/)
  const store = 'postgres://host/database'
  expect(readSettings({ node: 'a', store }, {}, null)).toMatchObject({ node: 'a', store })
})

test('variables for the tests are no settings', () => {
  expect(readSettings({}, { ONSTABLE_TEST_POSTGRES: 'postgres://host' }, null)).toMatchObject({
    store: 'sqlite',
  })
})

test('an unknown setting is refused with the nearest that exists, wherever it stands', () => {
  using file = fileWith({ stableAgee: 1 })
  expect(() => readSettings({}, {}, file.path)).toThrow(
    /^Unknown setting "stableAgee" in .*did you mean "stableAge"\?$/,
  )
  expect(() => readSettings({}, { ONSTABLE_HTPP_PORT: '1' }, null)).toThrow(
    /did you mean "ONSTABLE_HTTP_PORT"\?$/,
  )
})

test('a bad value is refused, and it is said where it came from', () => {
  expect(() => readSettings({ httpPort: 'x' }, {}, null)).toThrow(/^Bad value for setting "--http-port": /)
  expect(() => readSettings({}, { ONSTABLE_STABLE_AGE: '-1' }, null)).toThrow(
    /"ONSTABLE_STABLE_AGE" in the environment/,
  )
  using file = fileWith({ modalities: { PACS1: { aet: 'STORE', host: 'x', port: 0 } } })
  expect(() => readSettings({}, {}, file.path)).toThrow(/"modalities" in .* at PACS1.port: /)
  using noJson = fileWith('no json')
  expect(() => readSettings({}, {}, noJson.path)).toThrow(/is not JSON: /)
  using noObject = fileWith([{ stableAge: 1 }])
  expect(() => readSettings({}, {}, noObject.path)).toThrow(
    /is not a JSON object: expected \{ "setting": value \}$/,
  )
  expect(() => readSettings({}, { ONSTABLE_TOKEN: 'short' }, null)).toThrow(/ONSTABLE_TOKEN/)
})

test('what is no number is never taken for one', () => {
  const bad: unknown[] = ['', ' ', null, true, [], '8042x', 'Infinity', Number.NaN, '0x', {}]
  for (const httpPort of bad) {
    expect(() => readSettings({ httpPort }, {}, null)).toThrow(
      'Bad value for setting "--http-port": Expected a port from 0 to 65535',
    )
    expect(() => readSettings({ stableAge: httpPort }, {}, null)).toThrow(
      /: Expected seconds, more than 0 and /,
    )
  }
  for (const httpPort of ['-1', '65536', 1.5]) {
    expect(() => readSettings({ httpPort }, {}, null)).toThrow(/Expected a port/)
  }
  expect(readSettings({ httpPort: ' 80 ', stableAge: '2.5' }, {}, null)).toMatchObject({
    httpPort: 80,
    stableAge: 2.5,
  })
})

test('a misspelt key inside a setting is named with its place and the nearest that exists', () => {
  const modalities = { PACS1: { aett: 'STORE', host: 'x', port: 104 } }
  using file = fileWith({ modalities })
  expect(() => readSettings({}, {}, file.path)).toThrow(
    / at PACS1: Unknown key "aett": did you mean "aet"\?$/,
  )
  const rules = '[{"levl":"study","stableAge":1}]'
  expect(() => readSettings({}, { ONSTABLE_STABILITY: rules }, null)).toThrow(
    'Bad value for setting "ONSTABLE_STABILITY" in the environment at 0: Unknown key "levl": did you mean "level"?',
  )
})

test('a wait that is not longer than the age is refused', () => {
  expect(() => readSettings({ maxWait: '60' }, {}, null)).toThrow(
    'Bad value for setting "--max-wait": Expected "maxWait" to be longer than "stableAge"',
  )
  expect(readSettings({ maxWait: '61' }, {}, null).maxWait).toBe(61)
  using file = fileWith({ stability: [{ level: 'study', stableAge: 60, maxWait: 60 }] })
  expect(() => readSettings({}, {}, file.path)).toThrow(/Expected "maxWait" to be longer than "stableAge"/)
})

test('every setting has a meaning, and a variable and a flag of its own', () => {
  const names = Object.keys(settingsSchema.shape) as SettingName[]
  const silent = names.filter(
    (name) => (settingsSchema.shape[name] as { description?: string }).description === undefined,
  )
  expect(silent).toEqual([])
  expect(new Set(names.map(variableOf)).size).toBe(names.length)
  const flags = names.flatMap((name) => flagOf(name) ?? [])
  expect(new Set(flags).size).toBe(flags.length)
  expect(flags).toContain('--stable-age')
})
