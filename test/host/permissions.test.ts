/** Needs against grants: what is covered, and what an administrator is told to write. */
import { describe, expect, test } from 'vitest'
import { missingGrants } from '../../src/host/host.ts'
import { covers, permissionsOf } from '../../src/host/permissions.ts'
import { openTestHost } from '../support/test-host.ts'

const nothing = { send: [], http: [] }
const pacs = { aet: 'PACS', host: '192.0.2.1', port: 104 }
const modalities = { PACS1: pacs, PACS2: pacs }

/** The settings that a message proposes. */
function proposed(message: string): unknown {
  return JSON.parse(/put this into onstable\.json and start the server again: (.*)$/.exec(message)![1]!)
}

describe('when a script is loaded', () => {
  test('what it needs and has been granted is no word worth', () => {
    const grants = { 'a.ts': { send: ['PACS1', 'PACS2'], http: ['https://ris.example.org/'] } }
    expect(
      missingGrants({ grants, modalities }, 'a.ts', {
        send: ['PACS1'],
        http: ['https://ris.example.org/api/'],
      }),
    ).toBeNull()
    expect(missingGrants({ grants: {}, modalities }, 'a.ts', nothing)).toBeNull()
  })

  test('each need that is not granted is named, with the lines that grant it and keep what was granted', () => {
    const grants = { 'a.ts': { send: ['PACS1'], http: [] } }
    const needs = { send: ['PACS1', 'PACS2'], http: ['https://ris.example.org/'] }
    const message = missingGrants({ grants, modalities }, 'a.ts', needs)!
    expect(message).toMatch(
      /^The script needs what it is not granted: send to "PACS2", http to "https:\/\/ris\.example\.org\/"\. To grant it, /,
    )
    const wanted = { 'a.ts': { send: ['PACS1', 'PACS2'], http: ['https://ris.example.org/'] } }
    expect(proposed(message)).toEqual({ grants: wanted })
    expect(missingGrants({ grants: wanted, modalities }, 'a.ts', needs)).toBeNull()
  })

  test('a modality that is granted and not configured is named, with the lines that configure it', () => {
    const grants = { 'a.ts': { send: ['PACS1', 'PACS9'], http: [] } }
    const message = missingGrants({ grants, modalities }, 'a.ts', { send: ['PACS1', 'PACS9'], http: [] })
    expect(message).toMatch(/^The script sends to "PACS9", which is no modality of the settings\. /)
    expect(message).toContain('{"modalities":{"PACS9":{"aet":"PACS9",')
  })

  test('the grants of another script are not its own', () => {
    const grants = { 'b.ts': { send: ['PACS1'], http: [] } }
    expect(missingGrants({ grants, modalities }, 'a.ts', { send: ['PACS1'], http: [] })).toContain(
      'send to "PACS1"',
    )
  })
})

describe('when a script asks', () => {
  const grants = { 'a.ts': { send: ['PACS1'], http: ['https://ris.example.org/'] } }
  const messageOf = (ask: () => void) => {
    try {
      ask()
    } catch (error) {
      return (error as Error).message
    }
    return 'allowed'
  }

  test('what it declared and was granted is allowed', () => {
    const permissions = permissionsOf({ grants }, 'a.ts', grants['a.ts'])
    expect(messageOf(() => permissions.send('PACS1'))).toBe('allowed')
    expect(messageOf(() => permissions.http(new URL('https://ris.example.org/x')))).toBe('allowed')
  })

  test('what was granted and not declared is refused with the line to declare, and nothing to grant', () => {
    const permissions = permissionsOf({ grants }, 'a.ts', nothing)
    expect(messageOf(() => permissions.send('PACS1'))).toBe(
      `Script "a.ts" may not send to "PACS1". To allow it, declare it in the script: "needs: { send: ['PACS1'] }"`,
    )
    expect(messageOf(() => permissions.http(new URL('https://ris.example.org/x')))).toBe(
      `Script "a.ts" may not http to "https://ris.example.org/". To allow it, declare it in the script: "needs: { http: ['https://ris.example.org/'] }"`,
    )
  })

  test('what was declared and not granted is refused with the lines that grant it', () => {
    const permissions = permissionsOf({ grants }, 'a.ts', { send: ['PACS1', 'PACS2'], http: [] })
    const message = messageOf(() => permissions.send('PACS2'))
    expect(message).toMatch(/^Script "a\.ts" may not send to "PACS2"\. To grant it, /)
    expect(proposed(message)).toEqual({ grants: { 'a.ts': { ...grants['a.ts'], send: ['PACS1', 'PACS2'] } } })
  })

  test('what was neither declared nor granted is refused with both', () => {
    const message = messageOf(() =>
      permissionsOf({ grants: {} }, 'a.ts', nothing).http(new URL('http://10.0.0.1:8080/a?b')),
    )
    expect(message).toContain(`declare it in the script: "needs: { http: ['http://10.0.0.1:8080/'] }"`)
    expect(proposed(message)).toEqual({ grants: { 'a.ts': { send: [], http: ['http://10.0.0.1:8080/'] } } })
  })

  test('an address with a user name in it is refused with what to do instead', () => {
    const permissions = permissionsOf({ grants }, 'a.ts', grants['a.ts'])
    expect(messageOf(() => permissions.http(new URL('https://user:secret@ris.example.org/')))).toBe(
      'host.http: the address has a user name or a password: send them in the header "Authorization"',
    )
  })

  test('a modality that is granted has to be configured, too', async () => {
    const modalities = { PACS1: { aet: 'STORE', host: '127.0.0.1', port: 104 } }
    await using opened = await openTestHost({ granted: { send: ['PACS1', 'PACS2'] }, modalities })
    const { call } = opened.begin()
    const study = { level: 'Study', id: '00000000-00000000-00000000-00000000-00000000' }
    expect(await call('send', { ...study, modality: 'PACS1' })).toEqual({ value: { sent: 1 } })
    expect(await call('send', { ...study, modality: 'PACS2' })).toEqual({
      code: 'bad-host-call',
      message: 'Modality "PACS2" is not configured: did you mean "PACS1"?',
    })
    expect(await call('send', { ...study, modality: 'PACS3' })).toMatchObject({ code: 'not-granted' })
  })
})

const coverage: [string, string, boolean][] = [
  ['https://a.example/', 'https://a.example/any/thing?x#y', true],
  ['https://a.example', 'https://a.example/any', true],
  ['https://a.example:443/', 'https://a.example/', true],
  ['https://A.example/', 'https://a.EXAMPLE/', true],
  ['https://a.example/', 'http://a.example/', false],
  ['https://a.example/', 'https://a.example:8443/', false],
  ['https://a.example/', 'https://b.a.example/', false],
  ['https://a.example/', 'https://a.example.org/', false],
  ['https://a.example/', 'https://a.example./', false],
  ['https://a.example/x', 'https://a.example/x', true],
  ['https://a.example/x', 'https://a.example/x/y', true],
  ['https://a.example/x/', 'https://a.example/x', false],
  ['https://a.example/x', 'https://a.example/xy', false],
  ['https://a.example/x', 'https://a.example/X', false],
  ['a.example', 'https://a.example/', false],
  ['https://a.example/', 'a.example', false],
]
test.each(coverage)('the grant of %s covers %s: %s', (grant, url, expected) => {
  expect(covers(grant, url)).toBe(expected)
})
