/** The body of `POST /instances` in all its forms: a file, under gzip, in a form. */
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { readHeader } from '../../src/dicom/dicom.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { openTestIntake } from '../support/test-intake.ts'

const image = dicomFile({ pixelBytes: 2_000 })
const other = dicomFile({ instance: '2' })

/** A form as browsers send it, with the Content-Type that goes with it. */
async function formOf(fields: Record<string, Buffer | string>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.set(name, value)
    else form.set(name, new Blob([new Uint8Array(value)]), `${name}.dcm`)
  }
  const response = new Response(form)
  const headers = { 'content-type': response.headers.get('content-type')! }
  return { body: Buffer.from(await response.arrayBuffer()), headers }
}

test('a file is answered with its identifiers and those of its parents, as Orthanc answers', async () => {
  await using opened = await openTestIntake()
  const { ids } = readHeader(image)
  const answer = {
    ID: ids.instance,
    ParentPatient: ids.patient,
    ParentSeries: ids.series,
    ParentStudy: ids.study,
    Path: `/instances/${ids.instance}`,
  }
  expect(await opened.intake.upload([image], {}, restOrigin)).toEqual({
    status: 200,
    body: { ...answer, Status: 'Success' },
  })
  expect(await opened.intake.upload([image], {}, restOrigin)).toEqual({
    status: 200,
    body: { ...answer, Status: 'AlreadyStored' },
  })
})

test('a body under gzip is stored inflated, whatever is in it', async () => {
  await using opened = await openTestIntake()
  const headers = { 'content-encoding': ' GZIP' }
  await opened.intake.upload([gzipSync(image)], headers, restOrigin)
  expect((await opened.storage.read((await opened.files())[0]!)).equals(image)).toBe(true)
  const archive = zipSync({ 'a.dcm': image, 'b.dcm': other })
  expect((await opened.intake.upload([gzipSync(archive)], headers, restOrigin)).body).toHaveLength(2)
  const form = await formOf({ a: dicomFile({ instance: '3' }) })
  await opened.intake.upload([gzipSync(form.body)], { ...headers, ...form.headers }, restOrigin)
  expect(await opened.files()).toHaveLength(3)
})

test('gzip that is broken, too large inside, or another encoding is refused, and nothing is stored', async () => {
  await using opened = await openTestIntake({ maxInstanceMb: 0.01 })
  const upload = (body: Buffer, encoding: string) =>
    opened.intake.upload([body], { 'content-encoding': encoding }, restOrigin)
  await expect(upload(gzipSync(Buffer.alloc(1_000_000)), 'gzip')).rejects.toMatchObject({ code: 'too-large' })
  for (const body of [image, gzipSync(image).subarray(0, 100), Buffer.alloc(0)]) {
    await expect(upload(body, 'gzip')).rejects.toMatchObject({
      code: 'bad-dicom-file',
      message: 'The body is not the gzip that its Content-Encoding promises',
    })
  }
  await expect(upload(image, 'br')).rejects.toMatchObject({
    code: 'bad-request',
    message: 'Content-Encoding "br" is not supported: send "gzip", or the file as it is',
  })
  expect(await opened.files()).toEqual([])
})

test('every file of a form is taken in, and its other fields are passed over', async () => {
  await using opened = await openTestIntake()
  const { body, headers } = await formOf({ comment: 'a text', one: image, two: other })
  expect(await opened.intake.upload([body], headers, restOrigin)).toEqual({ status: 200, body: '' })
  expect(await opened.files()).toHaveLength(2)
  expect(await opened.files()).toEqual(await opened.namedFiles())
})

test('a form without a file is refused, since its sender meant to send one', async () => {
  await using opened = await openTestIntake()
  const { body, headers } = await formOf({ file: '/path/of/image.dcm' })
  await expect(opened.intake.upload([body], headers, restOrigin)).rejects.toMatchObject({
    code: 'bad-request',
    message: 'The form has no file: send one, such as "curl -F file=@image.dcm" does',
  })
})

test('a form that is cut off, and a file in one that is no instance, are refused', async () => {
  await using opened = await openTestIntake()
  const { body, headers } = await formOf({ one: image })
  await expect(opened.intake.upload([body.subarray(0, 900)], headers, restOrigin)).rejects.toMatchObject({
    code: 'bad-request',
    message: 'The body is not the multipart form that its Content-Type promises',
  })
  const text = await formOf({ one: Buffer.from('no instance') })
  await expect(opened.intake.upload([text.body], text.headers, restOrigin)).rejects.toMatchObject({
    code: 'bad-dicom-file',
  })
  expect(await opened.files()).toEqual([])
})

test('an empty body and one that is no DICOM are refused, and it is said why', async () => {
  await using opened = await openTestIntake()
  const refused: [Buffer, string, string][] = [
    [Buffer.alloc(0), 'bad-dicom-file', 'Received an empty DICOM file'],
    [Buffer.from('a text'), 'bad-dicom-file', 'Cannot parse an invalid DICOM file (size: 6 bytes)'],
    [
      dicomFile({ elements: { 524312: null } }),
      'missing-identifier',
      'The DICOM file has no SOPInstanceUID, and every instance needs one',
    ],
  ]
  for (const [body, code, message] of refused) {
    await expect(opened.intake.upload([body], {}, restOrigin)).rejects.toMatchObject({ code, message })
  }
  expect([await opened.files(), await opened.changes()]).toEqual([[], []])
})
