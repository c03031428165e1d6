/** Resources over REST: uploads, lists, single ones, relatives, deletion. */
import { expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { startRestServer } from '../support/rest-server.ts'

test('an upload is answered with the identifiers, and is then there at every level', async () => {
  await using server = await startRestServer()
  const sent = await server.send({ instance: '1' })
  expect(sent).toMatchObject({ Status: 'Success', Path: `/instances/${sent.ID}` })
  expect((await server.send({ instance: '1' })).Status).toBe('AlreadyStored')
  expect(await server.read('/patients')).toEqual([sent.ParentPatient])
  expect(await server.read(`/studies/${sent.ParentStudy}`)).toMatchObject({
    ID: sent.ParentStudy,
    Type: 'Study',
    ParentPatient: sent.ParentPatient,
    Series: [sent.ParentSeries],
    IsStable: false,
    PatientMainDicomTags: { PatientID: 'P1' },
    LastUpdate: expect.stringMatching(/^\d{8}T\d{6}$/),
  })
  expect(await server.read(`/series/${sent.ParentSeries}`)).toMatchObject({
    Status: 'Unknown',
    ExpectedNumberOfInstances: null,
    Instances: [sent.ID],
  })
  const instance = await server.read(`/instances/${sent.ID}`)
  expect(instance).toMatchObject({ Type: 'Instance', IndexInSeries: 1, ParentSeries: sent.ParentSeries })
  expect(instance).not.toHaveProperty('IsStable')
  expect(instance).not.toHaveProperty('LastUpdate')
})

test('the file comes back byte for byte, as application/dicom', async () => {
  await using server = await startRestServer()
  const { ID } = await server.send({ instance: '1', pixelBytes: 200_000 })
  const response = await fetch(`${server.url}/instances/${ID}/file`)
  expect(response.headers.get('content-type')).toBe('application/dicom')
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.equals(dicomFile({ instance: '1', pixelBytes: 200_000 }))).toBe(true)
})

test('lists are paged by since and limit together, and expanded on demand', async () => {
  await using server = await startRestServer()
  const ids: string[] = []
  for (const instance of ['1', '2', '3']) ids.push((await server.send({ instance })).ID!)
  expect(await server.read('/instances')).toEqual(ids)
  expect(await server.read('/instances/')).toEqual(ids)
  expect(await server.read('/instances?since=1&limit=1')).toEqual([ids[1]])
  expect(await server.read('/instances?since=-1&limit=1')).toEqual([ids[0]])
  expect(await server.read('/instances?since=0&limit=0')).toEqual([])
  expect(await server.read('/instances?since=2&limit=9&expand')).toMatchObject([{ ID: ids[2] }])
  expect(await server.read('/instances?expand=false')).toEqual(ids)
  expect(await server.read('/instances?limit=1')).toMatchObject({
    HttpStatus: 400,
    OrthancStatus: 8,
    Details: 'Missing "since" argument for GET request against: /instances/',
  })
  expect(await server.read('/instances?since=0&limit=abc')).toMatchObject({
    HttpStatus: 400,
    OrthancStatus: 5,
  })
})

test('a list longer than a page arrives whole and in order', async () => {
  await using server = await startRestServer()
  const ids: string[] = []
  for (let number = 1; number <= 205; number++)
    ids.push((await server.send({ instance: String(number) })).ID!)
  const expanded = (await server.read('/instances?expand')) as { ID: string }[]
  expect(expanded.map(({ ID }) => ID)).toEqual(ids)
  const page = (await server.read('/instances?expand&since=3&limit=150')) as { ID: string }[]
  expect(page.map(({ ID }) => ID)).toEqual(ids.slice(3, 153))
  const [study] = (await server.read('/studies')) as string[]
  const { status, body } = await server.api.get(`/studies/${study}/instances?expand`)
  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual(expanded)
})

test('children are expanded unless told otherwise, parents are single', async () => {
  await using server = await startRestServer()
  const one = await server.send({ series: 'A', instance: '1' })
  const two = await server.send({ series: 'B', instance: '1' })
  const series = (await server.read(`/studies/${one.ParentStudy}/series`)) as { ID: string }[]
  expect(series.map(({ ID }) => ID)).toEqual([one.ParentSeries, two.ParentSeries])
  expect(await server.read(`/patients/${one.ParentPatient}/instances?expand=false`)).toEqual([one.ID, two.ID])
  expect(await server.read(`/instances/${one.ID}/patient`)).toMatchObject({ ID: one.ParentPatient })
  expect(await server.read(`/series/${one.ParentSeries}/study`)).toMatchObject({ ID: one.ParentStudy })
  expect(await server.read(`/studies/${one.ParentStudy}/statistics`)).toMatchObject({
    CountSeries: 2,
    CountInstances: 2,
    DiskSize: String(dicomFile({ series: 'A' }).length + dicomFile({ series: 'B' }).length),
  })
  expect(await server.read(`/studies/${one.ParentSeries}/series`)).toMatchObject({ HttpStatus: 404 })
})

test('deleting says which ancestor is left, and a second time 404 without a body', async () => {
  await using server = await startRestServer()
  const one = await server.send({ series: 'A' })
  const two = await server.send({ series: 'B' })
  const remove = async (path: string) => {
    const response = await fetch(server.url + path, { method: 'DELETE' })
    return { status: response.status, text: await response.text() }
  }
  const first = await remove(`/series/${one.ParentSeries}`)
  expect(JSON.parse(first.text)).toEqual({
    RemainingAncestor: { ID: one.ParentStudy, Path: `/studies/${one.ParentStudy}`, Type: 'Study' },
  })
  expect(await remove(`/series/${one.ParentSeries}`)).toEqual({ status: 404, text: '' })
  const last = await remove(`/instances/${two.ID}`)
  expect(JSON.parse(last.text)).toEqual({ RemainingAncestor: null })
  expect(await server.read('/patients')).toEqual([])
})

test('a series says whether it is complete', async () => {
  await using server = await startRestServer()
  const cardiacNumberOfImages = 0x00181090
  const elements = { [cardiacNumberOfImages]: { vr: 'IS', value: '2' } }
  const { ParentSeries } = await server.send({ instance: '1', elements })
  expect(await server.read(`/series/${ParentSeries}`)).toMatchObject({
    Status: 'Missing',
    ExpectedNumberOfInstances: 2,
  })
  await server.send({ instance: '2', elements })
  expect(await server.read(`/series/${ParentSeries}`)).toMatchObject({ Status: 'Complete' })
  await server.send({ instance: '3', elements })
  expect(await server.read(`/series/${ParentSeries}`)).toMatchObject({ Status: 'Inconsistent' })
})
