/** An intake over a real store, storage and trash, in a temporary folder. */
import { join } from 'node:path'
import { readSettings, type Settings } from '../../src/config.ts'
import { readHeader } from '../../src/dicom/dicom.ts'
import { createIntake, type Intake, type IntakeParts, type Received } from '../../src/intake/intake.ts'
import type { Log } from '../../src/log.ts'
import { createAges } from '../../src/stability/stability.ts'
import { openTrash, openWriteBehind, type Storage } from '../../src/storage/storage.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { restOrigin } from './arrivals.ts'
import { dicomFile, type FileFacts } from './dicom-files.ts'
import { temporaryFolder } from './folders.ts'
import { keptLog, type LogLine } from './kept-log.ts'
import { openTestStorage, storedFiles } from './test-storage.ts'

export interface TestIntake extends AsyncDisposable {
  readonly settings: Settings
  readonly log: Log
  readonly intake: Intake
  readonly store: Store
  readonly storage: Storage
  readonly lines: readonly LogLine[]
  /** Takes in a made file, or given bytes, in one chunk. */
  receive(what: FileFacts | Buffer): Promise<Received>
  /** Types of the changes so far, deletions included, in the order of the log. */
  changes(): Promise<string[]>
  /** Identifiers of the instances that are held. */
  instances(): Promise<readonly string[]>
  /** Names of the files that are on disk once all that was accepted has its rows. */
  files(): Promise<string[]>
  /** Names of the files that a row names: those on disk, unless something is wrong. */
  namedFiles(): Promise<string[]>
}

/** @param given settings by name, such as a `data` folder that is there already */
export async function openTestIntake(
  given: Record<string, unknown> = {},
  more: Partial<IntakeParts> = {},
): Promise<TestIntake> {
  await using opening = new AsyncDisposableStack()
  const folder = opening.use(temporaryFolder()).path
  const settings = readSettings({ data: folder, stableAge: 3_600, ...given }, {}, null)
  const root = join(settings.data, 'files')
  // With a clock it runs in this thread, which opens much faster.
  const store = opening.use(await openSqlite({ folder: settings.data, clock: Date.now }))
  const storage = opening.use(await openTestStorage(root))
  const { log, lines } = keptLog()
  const writeBehind = opening.use(openWriteBehind(store, storage, log))
  const trash = openTrash(store, storage, log, () => {})
  const parts: IntakeParts = {
    store,
    storage,
    writeBehind,
    settings,
    log,
    agesOf: createAges(settings).agesOf,
    isDraining: () => false,
    isAsked: () => false,
    ask: async () => null,
    onAccepted: () => {},
    onRecorded: () => {},
    onReplaced: () => trash.takeOut(),
    ...more,
  }
  const intake = createIntake(parts)
  const opened = opening.move()
  return {
    settings,
    log,
    intake,
    store,
    storage,
    lines,
    receive(what) {
      const bytes = Buffer.isBuffer(what) ? what : dicomFile(what)
      // What goes in is given away.
      return intake.receive([Buffer.from(bytes)], readHeader(bytes), restOrigin)
    },
    async changes() {
      const types = [...newTypes, ...deletedTypes]
      const page = await store.changes({ limit: 10_000, types })
      return page.changes.map(({ type }) => type)
    },
    instances: () => store.list('Instance', null),
    async files() {
      await store.statistics().catch(() => {})
      return storedFiles(root)
    },
    async namedFiles() {
      const ids = await store.list('Instance', null)
      return [...(await store.holds(ids)).values()].sort()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const newTypes = ['NewInstance', 'NewSeries', 'NewStudy', 'NewPatient'] as const
const deletedTypes = ['DeletedInstance', 'DeletedSeries', 'DeletedStudy', 'DeletedPatient'] as const
