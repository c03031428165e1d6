/** Uploaded ZIP archives: every instance of a good one is taken in, and nothing of one that is not good. */
import { zipSync } from 'fflate'
import { expect, test } from 'vitest'
import type { InstanceAnswer } from '../../src/intake/upload.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile, uidsOf } from '../support/dicom-files.ts'
import { openTestIntake, type TestIntake } from '../support/test-intake.ts'

const upload = ({ intake }: TestIntake, body: Buffer) => intake.upload([body], {}, restOrigin)
const zip = (members: Record<string, Uint8Array>, level: 0 | 6 = 6) =>
  Buffer.from(zipSync(members, { level }))
/** Bytes that do not get smaller, so that the place of a member is known. */
const image = (instance: string) => dicomFile({ instance, pixelBytes: 5_000 })
const localHeader = Buffer.from('PK\x03\x04', 'latin1')
const directoryHeader = Buffer.from('PK\x01\x02', 'latin1')

async function expectRefused(opened: TestIntake, body: Buffer, code: string, message: RegExp) {
  await expect(upload(opened, body)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  expect([opened.files(), await opened.changes()]).toEqual([[], []])
}

test.each([0, 6] as const)(
  'at level %i, instances in any folder are taken in, and answered in their order',
  async (level) => {
    await using opened = await openTestIntake()
    await opened.receive({ instance: '2' })
    const body = zip(
      {
        'one.dcm': image('1'),
        'a/b/c/two': dicomFile({ instance: '2' }),
        'a/b/three.DCM': image('3'),
        'a/näme ..\\odd': image('4'),
      },
      level,
    )
    const { status, body: answer } = await upload(opened, body)
    expect(status).toBe(200)
    expect((answer as InstanceAnswer[]).map(({ Status }) => Status)).toEqual([
      'Success',
      'AlreadyStored',
      'Success',
      'Success',
    ])
    expect(opened.files()).toHaveLength(4)
    const { instance } = uidsOf({ instance: '3' })
    const third = await opened.store.find('Instance', (answer as InstanceAnswer[])[2]!.ID)
    expect(third).toMatchObject({ level: 'Instance', tags: { SOPInstanceUID: instance } })
    expect((await opened.storage.read((third as { file: string }).file)).equals(image('3'))).toBe(true)
  },
)

test('members that are no instances are passed over: DICOMDIR, texts, folders, archives, empty files', async () => {
  await using opened = await openTestIntake()
  const directory = dicomFile({ elements: { 2097165: null, 2097166: null, 524312: null }, pixelBytes: 0 })
  const members = {
    DICOMDIR: directory,
    'readme.txt': Buffer.from('Read me'),
    'folder/': Buffer.alloc(0),
    'inner.zip': zip({ 'image.dcm': image('9') }),
    'empty.dcm': Buffer.alloc(0),
  }
  expect((await upload(opened, zip({ ...members, 'image.dcm': image('1') }))).body).toHaveLength(1)
  expect((await upload(opened, zip(members))).body).toEqual([])
  expect(opened.files()).toHaveLength(1)
})

test('an empty archive is refused', async () => {
  await using opened = await openTestIntake()
  await expectRefused(opened, zip({}), 'bad-dicom-file', /^The ZIP archive is empty$/)
})

test('an archive that is cut off anywhere is refused as a whole', async () => {
  await using opened = await openTestIntake()
  const whole = zip({ 'a.dcm': image('1'), 'b.dcm': image('2'), 'c.dcm': image('3') }, 0)
  const second = whole.indexOf(localHeader, 10)
  const ends = [
    40,
    second,
    second + 2_000,
    whole.indexOf(directoryHeader),
    whole.length - 30,
    whole.length - 1,
  ]
  for (const end of ends) {
    await expectRefused(opened, whole.subarray(0, end), 'bad-dicom-file', /^Cannot read the ZIP archive: /)
  }
})

test.each([0, 6] as const)(
  'at level %i, a member whose bytes were damaged is refused, and never taken in',
  async (level) => {
    await using opened = await openTestIntake()
    const body = zip({ 'a.dcm': image('1') }, level)
    const middle = Math.floor(body.indexOf(directoryHeader) / 2)
    body[middle] = body[middle]! ^ 0x10
    await expectRefused(opened, body, 'bad-dicom-file', /^Cannot read the ZIP archive: /)
  },
)

test('an archive that inflates to far more than images do is refused before anything is taken in', async () => {
  await using opened = await openTestIntake()
  const body = zip({ 'a.dcm': image('1'), 'zeros.dcm': Buffer.alloc(1_000_000) })
  body.writeUInt32LE(80 * 1024 * 1024, body.lastIndexOf(directoryHeader) + 24)
  await expectRefused(opened, body, 'too-large', /^The ZIP archive inflates to more than 200 times its size$/)
})

test('a member that inflates to more than it says is refused', async () => {
  await using opened = await openTestIntake()
  const body = zip({ 'a.dcm': dicomFile({ pixelBytes: 60_000 }) })
  body.writeUInt32LE(900, body.indexOf(directoryHeader) + 24)
  await expectRefused(opened, body, 'bad-dicom-file', /^Cannot read the ZIP archive: too many bytes/)
})

test('a member that is larger than an instance may be is refused before anything is taken in', async () => {
  await using opened = await openTestIntake({ maxInstanceMb: 0.01 })
  const large = dicomFile({ instance: '2', pixelBytes: 20_000 })
  await expectRefused(
    opened,
    zip({ 'a.dcm': image('1'), 'b.dcm': large }),
    'too-large',
    /^A member of the ZIP archive has more than 10485 bytes$/,
  )
})

test('an encrypted archive, or one in a compression that nobody uses, is refused with the reason', async () => {
  await using opened = await openTestIntake()
  const encrypted = zip({ 'a.dcm': image('1') })
  encrypted.writeUInt16LE(1, encrypted.indexOf(directoryHeader) + 8)
  await expectRefused(opened, encrypted, 'bad-dicom-file', /encrypted/)
  const unknown = zip({ 'a.dcm': image('1') })
  unknown.writeUInt16LE(14, unknown.indexOf(directoryHeader) + 10)
  await expectRefused(opened, unknown, 'bad-dicom-file', /compression method: 14/)
})

test('an archive written as a stream is read by its directory, whatever its members look like', async () => {
  await using opened = await openTestIntake()
  const tricky = dicomFile({
    pixelBytes: 0,
    elements: {
      2145386512: {
        vr: 'OW',
        value: Buffer.concat([localHeader, directoryHeader, Buffer.from('PK\x07\x08abcd')]),
      },
    },
  })
  const body = asStream(zip({ 'a.dcm': tricky }, 0))
  expect((await upload(opened, body)).body).toHaveLength(1)
  expect((await opened.storage.read(opened.files()[0]!)).equals(tricky)).toBe(true)
})

/** As written by a program that knows the sizes only afterwards: the local header has none. */
function asStream(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive)
  for (const header of [0, bytes.lastIndexOf(directoryHeader) + 2]) {
    bytes.writeUInt16LE(bytes.readUInt16LE(header + 6) | 0x08, header + 6)
  }
  bytes.fill(0, 14, 26)
  return bytes
}
