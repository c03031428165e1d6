/**
 * Real files, where they lie beside the project: they are answered as Orthanc answers them, where that is
 * installed, and everything that they make becomes stable once.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { orthancProgram, startOrthanc } from '../../bench/orthanc-server.ts'
import { sha256 } from '../campaign/history.ts'
import { comparable, firstDifference } from '../support/comparable.ts'
import { type Peer, statusesOf, storescu } from '../support/dcmtk.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { areInstalled, isThere } from '../support/installed.ts'
import { type RealFile, realFiles, realFilesFolder } from '../support/real-files.ts'
import { fileOf, read, upload } from '../support/rest-client.ts'
import { startServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const hasFiles = isThere(realFilesFolder)
const hasOrthanc = areInstalled(orthancProgram)
const hasStorescu = areInstalled('storescu')
const files = hasFiles ? realFiles() : []

const [patientId, studyInstanceUid, seriesInstanceUid] = [0x00100020, 0x0020000d, 0x0020000e]

/**
 * Not alike after a C-STORE: Orthanc encodes what it received once more; here the dataset stays as it came,
 * under a meta information that also names the sender.
 */
const sizes = ['FileSize', 'TotalDiskSize', 'TotalUncompressedSize']

// Orthanc takes three seconds to end: all wait for it together.
describe.concurrent('real input', { timeout: 60_000 }, () => {
  test.skipIf(!hasFiles || !hasOrthanc)(
    'each file sent by HTTP is answered as by Orthanc, also when it comes again, and makes the same resources',
    async () => {
      await using both = await startBoth()
      for (const { name, bytes } of [...files, ...files]) {
        const [ours, theirs] = [await upload(both.ours.url, bytes), await upload(both.theirs.url, bytes)]
        expect(firstDifference(comparable(ours), comparable(theirs), name)).toBeNull()
        const { ID } = ours.body
        if (typeof ID === 'string')
          expect(sha256(await fileOf(both.ours.url, ID))).toBe(sha256(await fileOf(both.theirs.url, ID)))
      }
      expect(await differencesOf(both.ours.url, both.theirs.url, [])).toEqual([])
    },
  )

  test.skipIf(!hasFiles || !hasOrthanc || !hasStorescu)(
    'each file sent by storescu is taken as by Orthanc, and makes the same resources',
    async () => {
      await using both = await startBoth()
      const ours = await sendAll({ port: both.ours.dicomPort, called: 'ONSTABLE' })
      expect(ours.size).toBeGreaterThan(0)
      expect(ours).toEqual(await sendAll({ port: both.theirs.dicomPort, called: 'ORTHANC' }))
      expect(await differencesOf(both.ours.url, both.theirs.url, sizes)).toEqual([])
    },
  )

  test.skipIf(!hasOrthanc || !hasStorescu)(
    'what Orthanc does not take from storescu is not taken here, and the reason is one that sending again does not cure',
    async () => {
      using folder = temporaryFolder()
      const made = Object.entries({
        'no study UID': dicomFile({ elements: { [studyInstanceUid]: null } }),
        'no series UID': dicomFile({ elements: { [seriesInstanceUid]: null } }),
        'empty series UID': dicomFile({ elements: { [seriesInstanceUid]: { vr: 'UI', value: '' } } }),
        'endless patient': dicomFile({ patient: 'x'.repeat(300) }),
        'no patient': dicomFile({ elements: { [patientId]: null } }),
      }).map(([name, bytes]) => ({ path: join(folder.path, name), bytes }))
      for (const { path, bytes } of made) writeFileSync(path, bytes)
      const paths = made.map(({ path }) => path)

      await using both = await startBoth()
      const ours = statusesOf(await storescu({ port: both.ours.dicomPort }, paths, '-R'))
      const theirs = statusesOf(await storescu({ port: both.theirs.dicomPort }, paths, '-R'))
      // Orthanc says of every failure that it ran out of resources, after which a sender may try for ever.
      const inOurWords = (status: string) =>
        status === 'Refused: OutOfResources' ? 'Error: CannotUnderstand' : status
      expect([...ours]).toEqual([...theirs].map(([path, status]) => [path, inOurWords(status)]))
      expect(await differencesOf(both.ours.url, both.theirs.url, sizes)).toEqual([])
    },
  )

  test.skipIf(!hasFiles).for(hasStorescu ? ['HTTP', 'storescu'] : ['HTTP'])(
    'every series, study and patient of the files sent by %s becomes stable once, in this order',
    async (way) => {
      await using server = await startServer({ stableAge: 3 })
      if (way === 'storescu') await sendAll({ port: server.dicomPort })
      else for (const { bytes } of files) await upload(server.url, bytes)
      const isQuiet = async () => (await read<unknown[]>(`${server.url}/windows`)).length === 0
      await until('everything to be stable', isQuiet)

      const { Changes } = await read<Changes>(`${server.url}/changes?limit=5000`)
      const stable = Changes.filter(({ ChangeType }) => ChangeType.startsWith('Stable')).map(({ ID }) => ID)
      const series = await read<Parented[]>(`${server.url}/series?expand`)
      const studies = await read<Parented[]>(`${server.url}/studies?expand`)
      const patients = await read<Parented[]>(`${server.url}/patients?expand`)
      const all = [...series, ...studies, ...patients].map(({ ID }) => ID)
      expect(patients.length).toBeGreaterThan(0)
      expect(stable.toSorted()).toEqual(all.toSorted())
      const late = [...series, ...studies].filter(
        ({ ID, ParentStudy, ParentPatient }) =>
          stable.indexOf(ID) > stable.indexOf(ParentStudy ?? ParentPatient ?? ''),
      )
      expect(late).toEqual([])
    },
  )
})

type Changes = { readonly Changes: readonly { readonly ChangeType: string; readonly ID: string }[] }

interface Parented {
  readonly ID: string
  readonly ParentStudy?: string
  readonly ParentPatient?: string
}

async function startBoth() {
  await using stack = new AsyncDisposableStack()
  const ours = stack.use(await startServer({ stableAge: 600 }))
  const theirs = stack.use(await startOrthanc({ stableAgeSeconds: 600, milestones: [] }))
  const both = stack.move()
  return { ours, theirs, [Symbol.asyncDispose]: () => both.disposeAsync() }
}

/** All files on one association, and the deflated one, as it is, on one that proposes that. */
async function sendAll(peer: Peer): Promise<Map<string, string>> {
  const isDeflated = ({ name }: RealFile) => name === 'image_dfl.dcm'
  const pathsOf = (some: readonly RealFile[]) => some.map(({ path }) => path)
  const plain = await storescu(peer, pathsOf(files.filter((file) => !isDeflated(file))), '-R')
  const deflated = await storescu(peer, pathsOf(files.filter(isDeflated)), '-R', '-xd')
  return new Map([...statusesOf(plain), ...statusesOf(deflated)])
}

/** Where all that two servers hold differs; properties of these names are not looked at. */
async function differencesOf(ours: string, theirs: string, leftOut: readonly string[]): Promise<string[]> {
  const lists = ['patients', 'studies', 'series', 'instances'].map((level) => `/${level}?expand`)
  const differences: (string | null)[] = []
  for (const path of [...lists, '/changes?limit=5000', '/statistics']) {
    const [mine, other] = [await read(ours + path), await read(theirs + path)].map((whole) =>
      comparable(
        JSON.parse(JSON.stringify(whole), (key, value) => (leftOut.includes(key) ? undefined : value)),
      ),
    )
    differences.push(firstDifference(mine, other, path))
  }
  return differences.filter((difference) => difference !== null)
}
