/** A run that was handed over ahead and may not ask for anything, because the one before it cannot be settled. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTell, startDispatch } from '../../src/dispatch/dispatch.ts'
import { fault } from '../../src/errors.ts'
import { createHost } from '../../src/host/host.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import type { ScriptInForce } from '../../src/scripts/scripts.ts'
import { openSqlite } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { memoryFolder } from '../support/folders.ts'
import { keptLog } from '../support/kept-log.ts'
import { makeProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

const timeoutMs = 400
const instances = 60

test('is not charged with the time that it waited', async () => {
  using folder = memoryFolder()
  const { log, lines } = keptLog()
  await using store = await openSqlite({ folder: folder.path, clock: Date.now })
  await using runtime = await startRuntime({ log })
  const program = makeProgram(
    `export async function onStoredInstance(instance, host) { await host.kv.set('last', instance.id) }`,
    { timeoutMs },
  )
  await runtime.load(program)
  const subscriptions = [{ type: 'NewInstance', callback: 'onStoredInstance' }] as const
  await store.putScript('s', { hash: program.version, code: program.code, sourceMap: '{}' }, subscriptions)
  const script: ScriptInForce = {
    ...{ name: 's', version: program.version, callbacks: ['onStoredInstance'], subscriptions },
    manifest: {
      needs: { send: [], http: [] },
      ...{ key: 'study', late: 'rerun', everyMs: null, isolation: 'shared', concurrency: 1 },
      ask: { timeoutMs: 100, onFailure: 'accept' },
      retry: { attempts: 3, backoff: 'fixed', delayMs: 10, maxAgeMs: null },
      ...{ timeoutMs, cpuMs: timeoutMs, memoryMb: 64 },
    },
  }
  for (let number = 1; number <= instances; number++)
    await store.record(arrivalOf({ study: `S${number}`, instance: String(number) }))

  const tell = createTell({
    ...{ scriptNamed: () => script, scriptVersion: async () => script, runtime, log },
    host: createHost({
      settings: { grants: {}, modalities: {} },
      ...{ store, log, send: async () => ({ sent: 0 }) },
      get: async () => ({ status: 404, contentType: '', body: '' }),
    }),
    ...{ onEffects: () => {}, reach: () => {}, random: () => 0 },
  })
  let isSomeAhead = false
  let settled = 0
  let notBegun = 0
  let isFull = false
  await using dispatch = startDispatch({
    store: {
      ...store,
      async settleAll(settlements) {
        // What is ahead has to wait for the one that is to be settled now.
        if (isSomeAhead && settled++ === 1) isFull = true
        if (isFull) throw fault('storage-full', 'The disk is full')
        return store.settleAll(settlements)
      },
    },
    scriptNames: () => ['s'],
    versionOf: () => program.version,
    concurrencyOf: () => 1,
    isPaused: () => false,
    async tell(lease, turn) {
      isSomeAhead ||= turn.before !== null
      const settlement = await tell(lease, turn)
      if (settlement === null) notBegun++
      return settlement
    },
    recall: (name) => runtime.recall(name),
    log,
  })
  dispatch.wake()
  await until('the disk to be full', () => isFull)
  await wait(timeoutMs * 2)
  isFull = false
  await until('all to be settled', async () => (await store.runs({ limit: 100 })).length >= instances)
  await wait(50)
  const runs = await store.runs({ limit: 100 })
  expect(runs.map(({ outcome, attempt }) => `${outcome}, ${attempt}`)).toEqual(runs.map(() => 'ok, 1'))
  expect(runs.length).toBe(instances)
  expect(notBegun).toBeGreaterThan(0)
  expect(lines.filter(({ msg }) => msg === 'Runs are settled again').length).toBe(1)
})
