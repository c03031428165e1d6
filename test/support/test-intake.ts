/** An intake over a real store, storage and trash, in a temporary folder. */
import { join } from 'node:path'
import { readSettings } from '../../src/config.ts'
import { readHeader } from '../../src/dicom/dicom.ts'
import { createIntake, type Intake, type IntakeParts, type Received } from '../../src/intake/intake.ts'
import { createAges } from '../../src/stability/stability.ts'
import { openTrash, type Storage } from '../../src/storage/storage.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { restOrigin } from './arrivals.ts'
import { dicomFile, type FileFacts } from './dicom-files.ts'
import { temporaryFolder } from './folders.ts'
import { keptLog, type LogLine } from './kept-log.ts'
import { openTestStorage, storedFiles } from './test-storage.ts'

export interface TestIntake extends AsyncDisposable {
  readonly intake: Intake
  readonly store: Store
  readonly storage: Storage
  readonly lines: readonly LogLine[]
  /** Takes in a made file, or given bytes, in one chunk. */
  receive(what: FileFacts | Buffer): Promise<Received>
  /** Types of the changes so far, deletions included, in the order of the log. */
  changes(): Promise<string[]>
  /** Names of the files that are on disk now. */
  files(): string[]
  /** Files that a row names, and files on disk: the same, unless something is wrong. */
  namedFiles(): Promise<string[]>
}

/** @param given settings by name */
export async function openTestIntake(
  given: Record<string, unknown> = {},
  more: Partial<IntakeParts> = {},
): Promise<TestIntake> {
  await using opening = new AsyncDisposableStack()
  const folder = opening.use(temporaryFolder())
  const root = join(folder.path, 'files')
  const settings = readSettings({ stableAge: 3_600, ...given }, {}, null)
  const store = opening.use(await openSqlite({ folder: folder.path }))
  const storage = opening.use(await openTestStorage(root))
  const { log, lines } = keptLog()
  const trash = openTrash(store, storage, log, () => {})
  const parts: IntakeParts = {
    store,
    storage,
    settings,
    log,
    agesOf: createAges(settings).agesOf,
    onRecorded: () => {},
    onReplaced: () => trash.takeOut(),
    ...more,
  }
  const intake = createIntake(parts)
  const opened = opening.move()
  return {
    intake,
    store,
    storage,
    lines,
    receive(what) {
      const bytes = Buffer.isBuffer(what) ? what : dicomFile(what)
      return intake.receive([bytes], readHeader(bytes), restOrigin)
    },
    async changes() {
      const types = [...newTypes, ...deletedTypes]
      const page = await store.changes({ limit: 10_000, types })
      return page.changes.map(({ type }) => type)
    },
    files: () => storedFiles(root),
    async namedFiles() {
      const ids = await store.list('Instance', null)
      return [...(await store.holds(ids)).values()].sort()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const newTypes = ['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient'] as const
const deletedTypes = ['DeletedInstance', 'DeletedSeries', 'DeletedStudy', 'DeletedPatient'] as const
