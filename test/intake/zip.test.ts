/** Uploaded ZIP archives: every instance is taken in, wherever it lies and however it was packed. */
import { expect, test } from 'vitest'
import type { InstanceAnswer } from '../../src/intake/upload.ts'
import { asStream, directoryHeader, localHeader, zip } from '../support/archives.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile, uidsOf } from '../support/dicom-files.ts'
import { openTestIntake, type TestIntake } from '../support/test-intake.ts'

const upload = ({ intake }: TestIntake, body: Buffer) => intake.upload([body], {}, restOrigin)
const image = (instance: string) => dicomFile({ instance, pixelBytes: 5_000 })

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
    expect(await opened.files()).toHaveLength(4)
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
  expect(await opened.files()).toHaveLength(1)
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
  expect((await opened.storage.read((await opened.files())[0]!)).equals(tricky)).toBe(true)
})
