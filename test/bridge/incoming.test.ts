/** What messages say; no broker is needed to read them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readIncoming } from '../../src/bridge/incoming.ts'
import { OnStableError } from '../../src/errors.ts'

const epoch = 'abcd1234'
const id = '0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d-0a1b2c3d'
const read = (body: unknown, headers: Record<string, unknown> = {}) =>
  readIncoming({ body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), headers }, epoch)
const event = (type: string, data: unknown, source = '/other') => ({
  specversion: '1.0',
  id: '1',
  source,
  type,
  data,
})

describe('a message', () => {
  it('that is an identifier names an instance, in JSON or not', () => {
    expect(read(id)).toEqual({ kind: 'named', id })
    expect(read(`\n${id} `)).toEqual({ kind: 'named', id })
    expect(read(JSON.stringify(id))).toEqual({ kind: 'named', id })
    expect(read({ instanceId: id })).toEqual({ kind: 'named', id })
  })

  it('that is a change of another archive counts if an instance is new', () => {
    expect(read({ ChangeType: 'NewInstance', ID: id })).toEqual({ kind: 'named', id })
    expect(read({ ChangeType: 'StableStudy', ID: id })).toEqual({ kind: 'passed-over' })
    const change = event('onstable.instance.new', { ChangeType: 'NewInstance', ID: id }, '/onstable/other')
    expect(read(change)).toEqual({ kind: 'named', id })
    expect(read({ ...change, source: `/onstable/${epoch}` })).toEqual({ kind: 'passed-over' })
  })

  it('that is a command has the id of its event, with the source', () => {
    expect(read(event('onstable.command.settle', { level: 'series', id }))).toEqual({
      kind: 'command',
      id: '["/other","1"]',
      command: { kind: 'settle', level: 'Series', id },
    })
    expect(read(event('onstable.command.run', { script: 'a.ts', id, level: 'patient' }))).toMatchObject({
      command: { kind: 'run', script: 'a.ts', callback: 'onStablePatient', level: 'Patient' },
    })
  })

  it('that is a mark counts only for the log that it was sent for', () => {
    const mark = event('onstable.mark', {}, `/onstable/${epoch}`)
    expect(read(mark)).toEqual({ kind: 'mark', id: '1' })
    expect(read({ ...mark, source: '/onstable/other' })).toEqual({ kind: 'passed-over' })
  })

  it.each([
    ['is too long', ' '.repeat(2_000_000), /1048576 are read/],
    ['has UIDs that are too long', { dicom: uids('1'.repeat(300)) }, /not text of up to 256/],
    ['has an empty UID', { dicom: uids('') }, /no SOPInstanceUID/],
    ['has a command without an identifier', event('onstable.command.settle', { level: 'study' }), /id/],
    ['has no data that is known', event('com.example.happened', 'x'), /without data that is known/],
  ])('is refused when it %s, and says so', (_, body, reason) => {
    expect(() => read(body)).toThrow(reason)
  })

  it('is read, or refused with a reason, whatever it is', () => {
    const known = fc.constantFrom(
      ...[
        'specversion',
        'type',
        'data',
        'source',
        'id',
        'dicom',
        'tags',
        'instanceId',
        'ChangeType',
        'ID',
        'SOPInstanceUID',
      ],
    )
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constant(id),
      fc.constantFrom('onstable.arrival', 'onstable.mark', '1.0'),
    )
    const objects = fc.dictionary(known, fc.oneof(value, fc.dictionary(known, value)))
    fc.assert(
      fc.property(
        fc.oneof(objects, fc.jsonValue(), fc.string()),
        fc.dictionary(fc.string(), value),
        (body, headers) => {
          try {
            expect(read(body, headers).kind).toBeTypeOf('string')
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(OnStableError)
            expect((thrown as OnStableError).code).toBe('bad-message')
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

function uids(instance: string) {
  return { PatientID: 'P', StudyInstanceUID: '1', SeriesInstanceUID: '2', SOPInstanceUID: instance }
}
