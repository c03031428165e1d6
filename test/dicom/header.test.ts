import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHeader } from '../../src/dicom/dicom.ts'
import { OnStableError } from '../../src/errors.ts'
import {
  dicomDataset,
  dicomFile,
  type FileFacts,
  type TransferSyntaxName,
  transferSyntaxes,
  uidsOf,
} from '../support/dicom-files.ts'

const syntaxNames = Object.keys(transferSyntaxes) as TransferSyntaxName[]

function refusal(file: Uint8Array | Uint8Array[]): { code: string; message: string } {
  try {
    readHeader(file)
  } catch (thrown) {
    if (thrown instanceof OnStableError) return { code: thrown.code, message: thrown.message }
    throw thrown
  }
  throw new Error('The file was read')
}

test.each(syntaxNames)('the header of a file in the syntax %s is read', (transferSyntax) => {
  const facts: FileFacts = {
    patient: 'P7',
    study: 'S3',
    series: 'B',
    instance: '12',
    transferSyntax,
    elements: {
      5505153: { vr: 'US', value: [7] },
      5505281: { vr: 'US', value: [3] },
      1052672: { vr: 'LO', value: 'first\\second' },
    },
  }
  const uids = uidsOf(facts)
  expect(readHeader(dicomFile(facts))).toMatchObject({
    tags: {
      patient: {
        PatientID: 'P7',
        PatientName: 'Test^P7',
        PatientBirthDate: '19700101',
        PatientSex: 'O',
        OtherPatientIDs: 'first\\second',
      },
      study: {
        StudyInstanceUID: uids.study,
        StudyID: 'S3',
        AccessionNumber: 'ACC-S3',
        ReferringPhysicianName: '',
      },
      series: {
        SeriesInstanceUID: uids.series,
        Modality: 'CT',
        NumberOfSlices: '7',
        NumberOfTimeSlices: '3',
      },
      instance: { SOPInstanceUID: uids.instance, InstanceNumber: '12' },
    },
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: uids.instance,
    transferSyntaxUid: transferSyntaxes[transferSyntax],
    indexInSeries: 12,
    expectedInstances: 21,
    hasPixelData: true,
  })
})

test('a tag that is empty is there, and one that is missing is not', () => {
  const { tags } = readHeader(dicomFile({ elements: { 524368: { vr: 'SH', value: '' }, 2097168: null } }))
  expect(tags.study.AccessionNumber).toBe('')
  expect(tags.study).not.toHaveProperty('StudyID')
})

test('a file without a PatientID belongs to the patient with an empty one', () => {
  const without = readHeader(dicomFile({ elements: { 1048608: null } }))
  const empty = readHeader(dicomFile({ elements: { 1048608: { vr: 'LO', value: '' } } }))
  expect(without.tags.patient).not.toHaveProperty('PatientID')
  expect(without.ids).toEqual(empty.ids)
})

test.each([
  ['StudyInstanceUID', 0x0020000d],
  ['SeriesInstanceUID', 0x0020000e],
  ['SOPInstanceUID', 0x00080018],
])('a file without a %s is refused by that name', (keyword, tag) => {
  expect(refusal(dicomFile({ elements: { [tag]: null } }))).toEqual({
    code: 'missing-identifier',
    message: `The DICOM file has no ${keyword}, and every instance needs one`,
  })
  expect(refusal(dicomFile({ elements: { [tag]: { vr: 'UI', value: ' ' } } }))).toMatchObject({
    code: 'bad-dicom-file',
    message: expect.stringContaining(keyword),
  })
})

test.each([
  ['spaces at the end', 'LO', 'A  ', 'A'],
  ['spaces at the start of text', 'LO', '  A', '  A'],
  ['what follows a null byte', 'LO', 'A\0B\0', 'A'],
  ['only spaces', 'LO', '    ', ''],
])('of the padding, %s', (_name, vr, value, expected) => {
  const { tags } = readHeader(dicomFile({ elements: { 528432: { vr, value } } }))
  expect(tags.study.StudyDescription).toBe(expected)
})

const latin1 = (text: string) => Buffer.from(text, 'latin1')

test.each([
  ['no character set', null, latin1('M\xfcller'), 'Müller'],
  ['Latin-1', 'ISO_IR 100', latin1('M\xfcller'), 'Müller'],
  ['Latin-2', 'ISO_IR 101', latin1('\xb1'), 'ą'],
  ['Cyrillic', 'ISO_IR 144', latin1('\xbb\xee\xda\xd5'), 'Люке'],
  ['Greek', 'ISO_IR 126', latin1('\xc4\xe9\xef\xed'), 'Διον'],
  ['Arabic', 'ISO_IR 127', latin1('\xe2\xc8\xc7\xe6\xea'), 'قباني'],
  ['Hebrew', 'ISO_IR 138', latin1('\xf9\xf8\xe5\xef'), 'שרון'],
  ['Thai', 'ISO_IR 166', latin1('\xb9'), 'น'],
  ['UTF-8', 'ISO_IR 192', Buffer.from('Wang=王^小东'), 'Wang=王^小东'],
  ['GB18030', 'GB18030', latin1('Wang=\xcd\xf5^\xd0\xa1\xb6\xab'), 'Wang=王^小东'],
  ['GBK', 'GBK', latin1('Wang=\xcd\xf5'), 'Wang=王'],
  ['Japanese kanji', '\\ISO 2022 IR 87', latin1('Y=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B'), 'Y=山田^太郎'],
  [
    'Japanese kana and kanji',
    'ISO 2022 IR 13\\ISO 2022 IR 87',
    latin1('\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J'),
    'ﾔﾏﾀﾞ=山田',
  ],
  ['Korean', '\\ISO 2022 IR 149', latin1('Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7'), 'Hong=洪^吉洞'],
  ['Latin and Cyrillic', 'ISO 2022 IR 100\\ISO 2022 IR 144', latin1('Luk\xe9=\x1b-L\xbb\xee'), 'Luké=Лю'],
])('text is decoded from %s', (_name, characterSet, name, expected) => {
  const elements = {
    524293: characterSet === null ? null : { vr: 'CS', value: characterSet },
    1048592: { vr: 'PN', value: name },
  }
  expect(readHeader(dicomFile({ elements })).tags.patient.PatientName).toBe(expected)
})

test.each([
  ['an unknown character set', 'KLINGON'],
  ['plain ASCII', 'ISO_IR 6'],
  ['broken UTF-8', 'ISO_IR 192'],
])('what cannot be decoded is left out: %s', (_name, characterSet) => {
  const elements = {
    524293: { vr: 'CS', value: characterSet },
    1048592: { vr: 'PN', value: latin1('M\xfcller') },
  }
  expect(readHeader(dicomFile({ elements })).tags.patient.PatientName).toBe('Mller')
})

test('text over 256 bytes is not indexed, and identifiers may not be so long', () => {
  const long = { vr: 'LO', value: 'x'.repeat(258) }
  expect(readHeader(dicomFile({ elements: { 528432: long } })).tags.study).not.toHaveProperty(
    'StudyDescription',
  )
  expect(refusal(dicomFile({ elements: { 1048608: long } })).code).toBe('bad-dicom-file')
})

test.each([
  ['nothing', Buffer.alloc(0), 'Received an empty DICOM file'],
  ['a text', Buffer.from('this is not dicom'), 'Cannot parse an invalid DICOM file (size: 17 bytes)'],
  ['some JSON', Buffer.from('{"a":1}'), 'Cannot parse an invalid DICOM file (size: 7 bytes)'],
  [
    'only a prefix',
    Buffer.concat([Buffer.alloc(128), latin1('DICM')]),
    'Cannot parse an invalid DICOM file (size: 132 bytes)',
  ],
])('%s is no DICOM file', (_name, bytes, message) => {
  expect(refusal(bytes)).toEqual({ code: 'bad-dicom-file', message })
})

test('the private syntax of GE is read as implicit little endian', () => {
  const implicit = dicomFile({ transferSyntax: 'implicitLittleEndian' })
  const { implicitLittleEndian: uid } = transferSyntaxes
  const at = implicit.indexOf(Buffer.from(`${uid}\0`))
  const length = implicit.readUInt16LE(at - 2)
  const privateUid = Buffer.from('1.2.840.113619.5.2')
  const head = Buffer.from(implicit.subarray(0, at))
  head.writeUInt16LE(privateUid.length, at - 2)
  const file = Buffer.concat([head, privateUid, implicit.subarray(at + length)])
  expect(readHeader(file)).toEqual({ ...readHeader(implicit), transferSyntaxUid: '1.2.840.113619.5.2' })
})

const notDeflated = syntaxNames.filter((name) => name !== 'deflated')
/** After the pixel data (PS3.3, section C.12.1.1.5). */
const padding = Buffer.concat([Buffer.from([0xfc, 0xff, 0xfc, 0xff]), Buffer.from('OB\0\0'), Buffer.alloc(4)])

test.each(notDeflated)(
  'a file in the syntax %s that was cut off anywhere inside an element is refused',
  (transferSyntax) => {
    const whole = dicomFile({ pixelBytes: 100, transferSyntax })
    expect(outcome(whole).code).toBe('read')
    for (let length = 1; length < whole.length; length++) {
      const { code } = outcome(whole.subarray(0, length))
      expect(['bad-dicom-file', 'missing-identifier', 'read']).toContain(code)
      if (code === 'read') expect(outcome(whole.subarray(0, length + 1)).code).toBe('bad-dicom-file')
      // As an element without a value the pixel data would have eight bytes.
      if (length > whole.length - 100) expect(code).toBe('bad-dicom-file')
    }
  },
)

test('what follows the pixel data has to be elements, to the last byte', () => {
  const whole = dicomFile({ pixelBytes: 100 })
  const codeWith = (...more: Buffer[]) => outcome(Buffer.concat([whole, ...more])).code
  expect(codeWith(padding)).toBe('read')
  expect(codeWith(padding.subarray(0, -1))).toBe('bad-dicom-file')
  expect(codeWith(padding, Buffer.alloc(1))).toBe('bad-dicom-file')
  const sequence = Buffer.from('fafffaff53510000fffffffffeffdde000000000', 'hex')
  expect(codeWith(sequence, padding)).toBe('read')
  expect(codeWith(sequence.subarray(0, -1))).toBe('bad-dicom-file')
  expect(codeWith(Buffer.alloc(8))).toBe('read')
  expect(codeWith(Buffer.alloc(777, 0xff))).toBe('bad-dicom-file')
})

test('a file is whole or cut off, in however many pieces it lies', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...notDeflated),
      fc.integer({ min: 0, max: 40_000 }),
      fc.integer({ min: 0, max: 200 }),
      fc.array(fc.nat({ max: 45_000 }), { maxLength: 8 }),
      (transferSyntax, pixelBytes, missing, cuts) => {
        const whole = dicomFile({ pixelBytes: 2 * Math.ceil(pixelBytes / 2) + 300, transferSyntax })
        const file = whole.subarray(0, whole.length - missing)
        const ends = [...cuts.filter((cut) => cut < file.length).sort((a, b) => a - b), file.length]
        const pieces = ends.map((end, index) => file.subarray(ends[index - 1] ?? 0, end))
        expect(outcome(pieces.filter(({ length }) => length > 0)).code).toBe(
          missing === 0 ? 'read' : 'bad-dicom-file',
        )
      },
    ),
    { numRuns: 300 },
  )
})

function outcome(bytes: Uint8Array | readonly Uint8Array[]): { code: string } {
  try {
    readHeader(bytes)
    return { code: 'read' }
  } catch (thrown) {
    if (thrown instanceof OnStableError) return { code: thrown.code }
    throw thrown
  }
}

test.each(['implicitLittleEndian', 'explicitLittleEndian', 'explicitBigEndian'] as const)(
  'the syntax %s is recognised without preamble and meta information',
  (transferSyntax) => {
    const header = readHeader(dicomDataset({ transferSyntax }))
    expect(header.transferSyntaxUid).toBe(transferSyntaxes[transferSyntax])
    expect(header.ids).toEqual(readHeader(dicomFile({ transferSyntax })).ids)
  },
)

test('meta information without a preamble is read', () => {
  const file = dicomFile({ transferSyntax: 'explicitBigEndian' })
  expect(readHeader(file.subarray(132))).toEqual(readHeader(file))
})

test.each(syntaxNames)('a file in many pieces reads as in one: %s', (transferSyntax) => {
  const file = dicomFile({
    transferSyntax,
    pixelBytes: 400_000,
    elements: { 593921: { vr: 'UT', value: 'y'.repeat(200_000) } },
  })
  const pieces = Array.from({ length: Math.ceil(file.length / 9_999) }, (_, index) =>
    file.subarray(index * 9_999, (index + 1) * 9_999),
  )
  expect(readHeader(pieces)).toEqual(readHeader(file))
})

test('elements with VRs of eight bytes before the pixel data are stepped over', () => {
  const elements = { 2145386497: { vr: 'OV', value: Buffer.alloc(16) } }
  expect(readHeader(dicomFile({ transferSyntax: 'jpegBaseline', elements })).hasPixelData).toBe(true)
})

const sequences = {
  // Sequence of undefined length, with an item of undefined length in which is another such sequence.
  explicit:
    '08001511 5351 0000 ffffffff feff00e0 ffffffff 08001511 5351 0000 ffffffff feffdde0 00000000 feff0de0 00000000 feffdde0 00000000',
  // UN of undefined length: what is inside is implicit.
  unknown:
    '09001010 554e 0000 ffffffff feff00e0 ffffffff 08000500 04000000 49534f20 feff0de0 00000000 feffdde0 00000000',
}

test.each(Object.entries(sequences))('a sequence of undefined length is stepped over: %s', (_name, text) => {
  const sequence = Buffer.from(text.replaceAll(' ', ''), 'hex')
  const dataset = dicomDataset({ pixelBytes: 0 })
  // The sequence belongs before the first element of group 0010.
  const at = dataset.indexOf(Buffer.from([0x10, 0, 0x10, 0]))
  const withSequence = Buffer.concat([dataset.subarray(0, at), sequence, dataset.subarray(at)])
  expect(readHeader(withSequence)).toEqual(readHeader(dataset))
  expect(refusal(Buffer.concat([dataset, sequence.subarray(0, sequence.length - 8)])).code).toBe(
    'bad-dicom-file',
  )
})

test('sequences nested a hundred thousand deep are read without exhausting the stack', () => {
  const open = Buffer.from('0800151153510000fffffffffeff00e0ffffffff', 'hex')
  const close = Buffer.from('feff0de000000000feffdde000000000', 'hex')
  const depth = 100_000
  const dataset = dicomDataset({ pixelBytes: 0 })
  const nested = Buffer.concat([...Array(depth).fill(open), ...Array(depth).fill(close)])
  expect(readHeader(Buffer.concat([dataset, nested])).ids).toEqual(readHeader(dataset).ids)
})

test('a deflated dataset that would inflate without end is refused', () => {
  const bomb = dicomFile({
    transferSyntax: 'deflated',
    pixelBytes: 0,
    elements: { 593921: { vr: 'UT', value: Buffer.alloc(80 * 1024 * 1024) } },
  })
  expect(bomb.length).toBeLessThan(200_000)
  expect(refusal(bomb).code).toBe('bad-dicom-file')
})

test('whatever the bytes are, the file is read or refused with a reason', () => {
  const sound = dicomFile({ pixelBytes: 64 })
  const change = fc.record({ at: fc.nat(sound.length - 1), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const file = Buffer.from(sound)
      for (const { at, byte } of changes) file[at] = byte
      expect(['read', 'bad-dicom-file', 'missing-identifier']).toContain(outcome(file).code)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(['read', 'bad-dicom-file', 'missing-identifier']).toContain(outcome(bytes).code)
    }),
    { numRuns: 1_000 },
  )
})
