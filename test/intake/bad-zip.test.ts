/** ZIP archives that are not good: refused with the reason, and nothing of them is taken in. */
import { expect, test } from 'vitest'
import { directoryHeader, localHeader, zip } from '../support/archives.ts'
import { restOrigin } from '../support/arrivals.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { openTestIntake, type TestIntake } from '../support/test-intake.ts'

const image = (instance: string) => dicomFile({ instance, pixelBytes: 5_000 })

async function expectRefused(opened: TestIntake, body: Buffer, code: string, message: RegExp) {
  await expect(opened.intake.upload([body], {}, restOrigin)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  })
  expect([await opened.files(), await opened.changes()]).toEqual([[], []])
}

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
