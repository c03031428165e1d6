/** The log over REST, in Orthanc's shape. */
import { expect, test } from 'vitest'
import { type RestServer, startRestServer } from '../support/rest-server.ts'

interface ChangesAnswer {
  Changes: { Seq: number; ChangeType: string; ResourceType: string; Path: string; Date: string }[]
  Done: boolean
  First?: number
  Last: number
}

const changes = async (server: RestServer, query = '') =>
  (await server.read(`/changes${query}`)) as ChangesAnswer

test('an empty log has no First, and its Last is 0', async () => {
  await using server = await startRestServer()
  expect(await changes(server)).toEqual({ Changes: [], Done: true, Last: 0 })
})

test('since is exclusive, to is inclusive, and a page says whether more follows', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  const { ID } = await server.send({})
  const all = await changes(server)
  expect(all).toMatchObject({ Done: true, First: 1, Last: 4 })
  expect(all.Changes.map(({ ChangeType }) => ChangeType)).toEqual([
    'NewInstance',
    'NewSeries',
    'NewStudy',
    'NewPatient',
  ])
  expect(all.Changes[0]).toEqual({
    ChangeType: 'NewInstance',
    Date: expect.stringMatching(/^\d{8}T\d{6}$/),
    ID,
    Path: `/instances/${ID}`,
    ResourceType: 'Instance',
    Seq: 1,
  })
  const seqs = async (query: string) => (await changes(server, query)).Changes.map(({ Seq }) => Seq)
  expect(await seqs('?since=2')).toEqual([3, 4])
  expect(await seqs('?to=3&limit=2')).toEqual([2, 3])
  expect(await seqs('?since=1&to=3')).toEqual([2, 3])
  expect(await seqs('?since=-1')).toEqual([1, 2, 3, 4])
  expect(await seqs('?last')).toEqual([4])
  expect(await seqs('?last=0&limit=2')).toEqual([4])
  expect(await seqs('?type=NewStudy;NewPatient')).toEqual([3, 4])
  expect(await seqs('?type=NewStudy;All')).toEqual([1, 2, 3, 4])
  expect(await changes(server, '?limit=1')).toMatchObject({ Done: false, Last: 1 })
  expect(await changes(server, '?since=100000')).toEqual({ Changes: [], Done: true, Last: 4 })
  expect(await changes(server, '?limit=0')).toEqual({ Changes: [], Done: false, Last: 4 })
  expect(await changes(server, '?limit=-1')).toEqual({ Changes: [], Done: true, Last: 4 })
  expect(await changes(server, '?type=UpdatedMetadata')).toEqual({ Changes: [], Done: true, Last: 4 })
})

test('one of since, to and limit that is no number makes all three fall back', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  await server.send({})
  for (const query of ['?since=abc&limit=1', '?since=', '?since=2&limit=x', '?foo=bar']) {
    expect((await changes(server, query)).Changes.map(({ Seq }) => Seq)).toEqual([1, 2, 3, 4])
  }
})

test.each(['constructor', 'toString', '__proto__'])('a type called %s is unknown, too', async (name) => {
  await using server = await startRestServer()
  expect((await fetch(`${server.url}/changes?type=${name}`)).status).toBe(400)
  expect((await fetch(`${server.url}/changes`)).status).toBe(200)
})

test('an unknown type is refused with the nearest name', async () => {
  await using server = await startRestServer()
  expect(await server.read('/changes?type=StableStdy')).toMatchObject({
    HttpStatus: 400,
    Details: 'Unknown type of change "StableStdy": did you mean "StableStudy"?',
  })
})

test('deletions are shown only when asked for, as Deleted', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  const { ParentPatient } = await server.send({})
  await fetch(`${server.url}/patients/${ParentPatient}`, { method: 'DELETE' })
  const usual = await changes(server)
  expect(usual.Changes.some(({ ChangeType }) => ChangeType.startsWith('Deleted'))).toBe(false)
  const deleted = await changes(server, '?type=Deleted')
  expect(new Set(deleted.Changes.map(({ ChangeType }) => ChangeType))).toEqual(new Set(['Deleted']))
  expect(deleted.Changes.map(({ ResourceType }) => ResourceType).sort()).toEqual([
    'Instance',
    'Patient',
    'Series',
    'Study',
  ])
})

test('DELETE hides what was, and the numbers go on', async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  await server.send({})
  const response = await fetch(`${server.url}/changes`, { method: 'DELETE' })
  expect([response.status, await response.text()]).toEqual([200, ''])
  expect(await changes(server)).toEqual({ Changes: [], Done: true, Last: 4 })
  await server.send({ instance: '2' })
  expect((await changes(server)).Changes.map(({ Seq }) => Seq)).toEqual([5])
})
