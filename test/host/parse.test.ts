/** What comes out of a sandbox is looked at before it is believed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCall } from '../../src/host/parse.ts'
import { httpCall } from '../support/test-host.ts'

const id = '00000000-00000000-00000000-00000000-00000000'
const send = { level: 'Study', id, modality: 'PACS1' }

const refused: [string, string, string][] = [
  ['nonsense', '{}', 'There is no host.nonsense'],
  ['__proto__', '{}', 'There is no host.__proto__'],
  ['get', 'no json', 'host.get: the arguments are not a JSON object'],
  ['get', '["/studies"]', 'host.get: the arguments are not a JSON object'],
  ['get', 'null', 'host.get: the arguments are not a JSON object'],
  ['get', '{}', 'host.get: bad value for "path": '],
  ['get', '{"path":"/studies","more":1}', 'host.get: bad value: Unrecognized key: "more"'],
  ['get', '{"path":{"length":1}}', 'host.get: bad value for "path": '],
  ['send', JSON.stringify({ ...send, level: 'study' }), 'host.send: bad value for "level": '],
  [
    'send',
    JSON.stringify({ ...send, id: '../x' }),
    'host.send: bad value for "id": Expected an identifier as Orthanc writes it',
  ],
  ['send', JSON.stringify({ ...send, modality: '' }), 'host.send: bad value for "modality": '],
  ['kv.get', '{"key":""}', 'host.kv.get: bad value for "key": '],
  ['kv.get', '{"key":"a\\u0000"}', 'host.kv.get: bad value for "key": Expected whole characters'],
  ['kv.list', '{"prefix":"\\ud800"}', 'host.kv.list: bad value for "prefix": Expected whole characters'],
  [
    'kv.set',
    '{"key":"a","value":"\\ud800"}',
    'host.kv.set: bad value for "value": Expected whole characters',
  ],
  ['http', JSON.stringify(httpCall('nonsense')), 'host.http: bad value for "url": '],
  [
    'http',
    JSON.stringify(httpCall('http://a/', { headers: { a: 1 } })),
    'host.http: bad value for "headers.a": ',
  ],
  [
    'http',
    JSON.stringify({ ...httpCall('http://a/'), methd: 'POST' }),
    'host.http: bad value: Unrecognized key: "methd"',
  ],
  ['http', JSON.stringify(httpCall('http://a/', { body: {} })), 'host.http: bad value for "body": '],
]
test.each(refused)('host.%s with %s is refused: %s', (name, argumentsJson, message) => {
  expect(() => parseCall({ name, argumentsJson })).toThrow(
    expect.objectContaining({ code: 'bad-host-call', message: expect.stringContaining(message) }),
  )
})

test('a name among the arguments does not make another call of it', () => {
  const call = { name: 'kv.get', argumentsJson: '{"name":"http","key":"a"}' }
  expect(parseCall(call)).toEqual({ name: 'kv.get', key: 'a' })
  const polluted = { name: 'kv.get', argumentsJson: '{"key":"a","__proto__":{"name":"http"}}' }
  expect(() => parseCall(polluted)).toThrow(/Unrecognized key/)
})

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, '']))
test.each([
  ['kv.list', { prefix: '', after: null, ...many(1_000) }],
  ['http', { ...httpCall('http://a/'), headers: many(1_000) }],
  ['get', { path: { path: [many(500), many(500)] } }],
])('host.%s with a thousand texts is refused before anything is made of them', (name, given) => {
  expect(() => parseCall({ name, argumentsJson: JSON.stringify(given) })).toThrow(
    expect.objectContaining({
      code: 'bad-host-call',
      message: `host.${name}: more than 1000 keys and texts`,
    }),
  )
})

test('what is in a text counts as one, whatever it is', () => {
  const bodies = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^["\\:,{}[\]a]*$/))
  fc.assert(
    fc.property(bodies, (text) => {
      const body = text.repeat(500)
      const call = httpCall('http://a/', { headers: many(400), body })
      expect(parseCall({ name: 'http', argumentsJson: JSON.stringify(call) })).toMatchObject({ body })
    }),
  )
})

test('a message of what was given is no longer than it has to be', () => {
  const argumentsJson = JSON.stringify({ path: '/studies', ['x'.repeat(1_000_000)]: 1 })
  expect.assertions(1)
  try {
    parseCall({ name: 'get', argumentsJson })
  } catch (error) {
    expect((error as Error).message).toHaveLength(1_000)
  }
})
