/**
 * The one wiring file: builds the stages from left to right, and stops them from right to left.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startApi } from './api/api.ts'
import { type Bridge, isAnnouncedTo, startBridge } from './bridge/bridge.ts'
import type { Settings } from './config.ts'
import type { Level, ParentLevel } from './dicom/dicom.ts'
import {
  createAsking,
  createInstanceQuestion,
  createTell,
  drainedBy,
  openPauses,
  startDispatch,
  startRetention,
  watchStorms,
} from './dispatch/dispatch.ts'
import { createHost, missingGrants } from './host/host.ts'
import { createIntake, startDicomReceiver } from './intake/intake.ts'
import { createSender } from './jobs/jobs.ts'
import { crashPointReacher } from './lib/crash-point.ts'
import { defaultNodeName } from './lib/node-name.ts'
import type { Log } from './log.ts'
import { startNodes } from './nodes/nodes.ts'
import { startRuntime } from './runtime/runtime.ts'
import { openLibrary } from './scripts/scripts.ts'
import { createAges, startTicking } from './stability/stability.ts'
import { bringBack, makeDataFolder, openStorage, openTrash, openWriteBehind } from './storage/storage.ts'
import { type Ages, openStore } from './store/store.ts'

const typingsFolder = fileURLToPath(new URL('../sandbox/', import.meta.url))

/** How soon after an instance the others see its changes: those of that time get their numbers together. */
const numberedWithinMs = 10

export interface Engine extends AsyncDisposable {
  /** Where the REST interface is. */
  readonly url: string
  readonly dicomPort: number
  /** Stops taking in, lets what is in hand end, and leaves the rest to the next start. */
  close(): Promise<void>
}

/**
 * Starts the server. What fails on the way stops what was started before.
 * @throws an `OnStableError` whose message says what to do
 */
export async function startEngine(settings: Settings, log: Log): Promise<Engine> {
  await using stages = new AsyncDisposableStack()
  const reach = crashPointReacher(settings.crashAt ?? null)
  makeDataFolder(settings.data)

  const node = settings.node ?? defaultNodeName(settings.httpPort)
  const store = stages.use(await openStore({ ...settings, node, log }))
  // Servers that share a folder write to one of their own each.
  const home = store.cluster === null ? null : node
  const files = join(settings.data, 'files')
  const storage = stages.use(await openStorage(files, { log, crashAt: settings.crashAt ?? null, home }))
  const broughtBack = await bringBack(store, storage, log)
  if (broughtBack > 0)
    log.info({ files: broughtBack }, 'Looked after the last files before the end of the last run')
  const writeBehind = stages.use(openWriteBehind(store, storage, log))
  const trash = openTrash(store, storage, log, reach)
  await trash.takeOut()
  const swept = await storage.sweep((files) => store.orphans(files))
  if (swept > 0) log.info({ files: swept }, 'Removed unfinished files of the last run')

  const runtime = stages.use(
    await startRuntime({
      log,
      maxChildMemoryMb: settings.scriptsMemoryMb,
      onSuspend: ({ script, version, reason }) =>
        void library.suspend(script, version.replace(/-ask$/, ''), reason),
    }),
  )
  const library = stages.use(
    await openLibrary({
      folder: settings.scripts,
      store: { ...store, resumeScript: (name) => store.resumeScript(name, settings.logMaxBehind) },
      runtime,
      missingGrants: (script, needs) => missingGrants(settings, script, needs),
      log,
      typingsFolder,
    }),
  )
  const ages = createAges(settings)
  const send = createSender({ settings, store, read: (file) => storage.read(file) })
  const host = stages.use(createHost({ settings, store, get: (path) => api.get(path), send: send.send, log }))
  const storms = watchStorms(() => performance.now())
  const tell = createTell({
    onEffects: ({ name, version }, run) => {
      const echoes = storms.ended(run)
      if (echoes <= settings.maxEchoes) return
      const reason = `What it sent or posted came back and woke it ${echoes} times in a row, for ${run.resource} (maxEchoes)`
      void library.suspend(name, version, reason)
    },
    scriptNamed: (name) => library.get(name),
    scriptVersion: (name, version) => library.version(name, version),
    runtime,
    host,
    log,
    reach,
    random: Math.random,
  })
  const asking = createAsking({ asked: (name) => library.asked(name), runtime, host, log, now: Date.now })
  const instanceQuestion = createInstanceQuestion(asking)
  const pauses = await openPauses(store, () => dispatch.onPause())
  /** Nothing more is taken in or run here. */
  let isDraining = false
  const dispatch = startDispatch({
    store,
    scriptNames: () => library.names(),
    versionOf: (script) => library.get(script)?.version ?? null,
    concurrencyOf: (script) => library.get(script)?.manifest.concurrency ?? 1,
    isPaused: (script) => isDraining || pauses.isPaused(script),
    ...{ tell, log },
    recall: (script) => runtime.recall(script),
  })
  stages.use(
    startRetention({
      ...{ store, log, settings },
      onStraggler: ({ name, version, behind }) => {
        const reason = `It is ${behind} changes behind, and the log is kept for ${settings.logMaxBehind} at most (logMaxBehind): raise that, or resume it without those before`
        void library.suspend(name, version, reason)
      },
    }),
  )
  library.onChange((name) => {
    asking.forget()
    storms.forget(name)
    dispatch.onSwap(name)
  })
  let bridge: Bridge | null = null
  /** There is more in the log. */
  const onLog = () => {
    dispatch.wake()
    bridge?.wake()
  }
  const onChanged = () => {
    ticking.wake(0)
    onLog()
  }
  const onRecorded = ({ Patient, Study, Series }: Ages) => {
    // Others follow the log, too: it gets its numbers by ticking.
    ticking.wake(
      store.cluster === null ? Math.min(Patient.ageMs, Study.ageMs, Series.ageMs) : numberedWithinMs,
    )
    onLog()
  }
  // The first tick knows then whether silence is that of a broker.
  if (isAnnouncedTo(settings)) await store.observeAnnouncements(null)
  const ticking = stages.use(startTicking(store, log, onLog))
  bridge = stages.use(
    await startBridge({
      ...{ settings, store, node, log, onRecorded },
      agesOf: ages.agesOf,
      isDraining: () => isDraining,
      onReleased: () => ticking.wake(0),
      onCommanded: onChanged,
    }),
  )
  const nodes = stages.use(
    await startNodes({
      store,
      log,
      node,
      onLog,
      onState({ scripts, pausedAllAtMs }, askedAt) {
        library.agree(scripts, askedAt)
        pauses.agree(scripts, pausedAllAtMs, askedAt)
      },
      onDraining(now) {
        isDraining = now
        dispatch.onPause()
      },
    }),
  )

  const intake = createIntake({
    ...{ store, storage, writeBehind, settings, log },
    agesOf: ages.agesOf,
    isDraining: () => isDraining,
    ...instanceQuestion,
    onAccepted: () => dispatch.wake(),
    onRecorded: (arrived, { ids }, { cause, remoteAet }) => {
      if (cause !== undefined || remoteAet === settings.dicomAet) storms.echoed(ids)
      onRecorded(arrived)
    },
    onReplaced: ({ ids }, { remoteAet }) => {
      // Another archive may send on what it is sent.
      if (Object.values(settings.modalities).some(({ aet }) => aet === remoteAet)) storms.echoed(ids)
      return trash.takeOut()
    },
  })
  const api = await startApi({
    ...{ settings, store, log, reach },
    upload: intake.upload,
    openFile: async (file) => storage.stream(file),
    scripts: () => library.list().map((each) => ({ ...each, paused: pauses.isPaused(each.name) })),
    unanswered: asking.unanswered,
    pauses,
    nodes,
    bridge,
    async resumeScript(name) {
      const wasSuspended = await library.resume(name)
      return wasSuspended === null ? null : (await pauses.unpause(name)) || wasSuspended
    },
    forgetScript: (name) => library.forget(name),
    onOwnCommand: storms.woke,
    requestQuestion: {
      isAsked: () => asking.isAsked('incomingHttpRequestFilter'),
      ask: (facts, subject) => asking.ask('incomingHttpRequestFilter', facts, subject),
    },
    drained: drainedBy(dispatch, store, pauses),
    onOwed: () => dispatch.wake(),
    async remove(level: Level, id: string) {
      const removed = await store.remove(level, id)
      if (removed === null) return null
      onChanged()
      await trash.takeOut()
      return removed
    },
    async settle(level: ParentLevel, id: string) {
      const changed = await store.forceStable(level, id)
      if (changed) onChanged()
      return changed
    },
    async unsettle(level: ParentLevel, id: string) {
      const age = ages.ageOf(level)
      const changed = await store.markUnstable(level, id, age)
      if (changed) ticking.wake(age.ageMs)
      return changed
    },
  })
  // The runs in hand may still ask the REST interface, and are ended before it.
  stages.use(api)
  stages.use(dispatch)
  const receiver = stages.use(await startDicomReceiver({ intake, settings, log }))
  dispatch.wake()

  const running = stages.move()
  return {
    url: `http://${api.address.includes(':') ? `[${api.address}]` : api.address}:${api.port}`,
    dicomPort: receiver.port,
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
