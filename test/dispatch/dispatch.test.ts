import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTell, type Dispatch, startDispatch } from '../../src/dispatch/dispatch.ts'
import { createHost, type Host } from '../../src/host/host.ts'
import { createLog } from '../../src/log.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { subscriptionsOf } from '../../src/scripts/callbacks.ts'
import type { CallbackName, ScriptInForce } from '../../src/scripts/scripts.ts'
import { openSqlite, type RunSummary, type Store } from '../../src/store/store.ts'
import { arrivalOf } from '../support/arrivals.ts'
import { temporaryFolder } from '../support/folders.ts'
import { until } from '../support/until.ts'

const log = createLog('silent')

describe('dispatch', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let store: Store
  let runtime: Runtime
  let host: Host
  let dispatch: Dispatch
  const scripts = new Map<string, ScriptInForce>()

  beforeEach(async () => {
    folder = temporaryFolder()
    store = await openSqlite({ folder: folder.path })
    runtime = await startRuntime({ log })
    await begin()
  })
  afterEach(async () => {
    await dispatch.close()
    await host.close()
    await runtime.close()
    await store.close()
    scripts.clear()
    folder[Symbol.dispose]()
  })

  const begin = async () => {
    const get = async () => ({ status: 404, contentType: '', body: '' })
    host = createHost({
      settings: { grants: {}, modalities: {} },
      store,
      get,
      send: async () => ({ sent: 0 }),
      log,
    })
    const tell = createTell({
      scriptNamed: (name) => scripts.get(name),
      scriptVersion: async (name) => scripts.get(name),
      runtime,
      host,
      onEffects: () => {},
      log,
      reach: () => {},
      random: () => 0,
    })
    dispatch = startDispatch({
      store,
      scriptNames: () => [...scripts.keys()],
      versionOf: (script) => scripts.get(script)?.version ?? null,
      concurrencyOf: (script) => scripts.get(script)?.manifest.concurrency ?? 1,
      isPaused: () => false,
      tell,
      recall: (script) => runtime.recall(script),
      log,
      stopMs: 300,
    })
  }

  /** Puts a script in force whose callbacks have these bodies, with `event` and `host` in scope. */
  const put = async (
    name: string,
    bodies: Partial<Record<CallbackName, string>>,
    { attempts = 3, concurrency = 1 } = {},
  ) => {
    const functions = Object.entries(bodies).map(
      ([callback, body]) => `${callback}: async (event, host) => {${body}}`,
    )
    const code = `var __exports = {${functions.join()}}`
    const version = `${name}-${code.length}-${Math.random()}`
    await runtime.load({
      version,
      script: name,
      code,
      sourceMap: '{}',
      limits: { timeoutMs: 5_000, cpuMs: 5_000, memoryMb: 32 },
      isolation: 'shared',
    })
    const callbacks = Object.keys(bodies) as CallbackName[]
    await store.putScript(name, { hash: version, code, sourceMap: '{}' }, subscriptionsOf(callbacks))
    scripts.set(name, {
      name,
      version,
      callbacks,
      subscriptions: subscriptionsOf(callbacks),
      manifest: {
        needs: { send: [], http: [] },
        key: 'study',
        late: 'rerun',
        everyMs: null,
        ask: { timeoutMs: 100, onFailure: 'accept' },
        retry: { attempts, backoff: 'fixed', delayMs: 10, maxAgeMs: null },
        timeoutMs: 5_000,
        cpuMs: 5_000,
        memoryMb: 32,
        concurrency,
        isolation: 'shared',
      },
    })
  }

  const runsOf = async (script: string): Promise<RunSummary[]> =>
    [...(await store.runs({ script, limit: 1_000 }))].reverse()
  const ended = (script: string, count: number) =>
    until(`${count} runs`, async () => {
      const runs = await runsOf(script)
      return runs.length >= count ? runs : undefined
    })

  it('tells every change to every script that wants it, once, in the order of the log', async () => {
    await put('one', { onStoredInstance: '' })
    await put('two', { onChange: '' })
    for (let n = 0; n < 20; n++) await store.record(arrivalOf({ instance: String(n) }))
    dispatch.wake()
    const one = await ended('one', 20)
    const two = await ended('two', 23)
    expect(one.map(({ seq }) => seq)).toEqual([...one.map(({ seq }) => seq)].sort((a, b) => a - b))
    expect(new Set(one.map(({ seq }) => seq)).size).toBe(20)
    expect(two.map(({ seq }) => seq)).toEqual(Array.from({ length: 23 }, (_, n) => n + 1))
    expect(one.every(({ outcome }) => outcome === 'ok')).toBe(true)
  })

  it('tells again when the script said, and sets aside at once what it gave up, with its reason', async () => {
    const body = `if (event.tags.SOPInstanceUID.endsWith('.gone')) throw host.giveUp('No such patient')
      if (event.attempt < 3) throw host.retryAfter(30 * event.attempt, 'asleep')`
    await put('s', { onStoredInstance: body }, { attempts: 5 })
    await store.record(arrivalOf({ instance: 'late' }))
    await store.record(arrivalOf({ instance: 'gone' }))
    dispatch.wake()
    const runs = await ended('s', 4)
    const late = runs.filter(({ seq }) => seq === runs[0]!.seq)
    expect(late.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['threw', 1],
      ['threw', 2],
      ['ok', 3],
    ])
    expect(late[1]!.endedAtMs - late[0]!.endedAtMs).toBeGreaterThanOrEqual(30)
    expect(late[2]!.endedAtMs - late[1]!.endedAtMs).toBeGreaterThanOrEqual(60)
    const gone = runs.filter(({ seq }) => seq !== runs[0]!.seq)
    expect(gone.map(({ reason }) => JSON.parse(reason!).message)).toEqual(['No such patient'])
    await until('it to be set aside', async () => (await store.backlog())[0]!.dead === 1)
  })

  it('runs as many at a time as the script asks for, of one key never two, each key in order', async () => {
    const body = `const key = event.studyTags.StudyInstanceUID
      console.log(key, Date.now())
      await new Promise((resolve) => setTimeout(resolve, 100))
      console.log(Date.now())`
    await put('s', { onStoredInstance: body }, { concurrency: 3 })
    const studies = ['A', 'B', 'C', 'D']
    for (let n = 0; n < 24; n++)
      await store.record(arrivalOf({ instance: String(n), study: studies[n % 4]! }))
    dispatch.wake()
    const runs = await ended('s', 24)
    const spans = runs.map(({ logs, seq }) => {
      const [begin, end] = (JSON.parse(logs) as { text: string }[]).map(({ text }) => text)
      const [key, from] = begin!.split(' ')
      return { key: key!, seq, from: Number(from), to: Number(end) }
    })
    for (const key of new Set(spans.map((span) => span.key))) {
      const own = spans.filter((span) => span.key === key).sort((left, right) => left.from - right.from)
      expect(own.map(({ seq }) => seq)).toEqual(own.map(({ seq }) => seq).sort((a, b) => a - b))
      for (let n = 1; n < own.length; n++) expect(own[n]!.from).toBeGreaterThanOrEqual(own[n - 1]!.to)
    }
    // One after the other they would take 2,400 ms.
    const first = Math.min(...spans.map(({ from }) => from))
    expect(Math.max(...spans.map(({ to }) => to)) - first).toBeLessThan(2_200)
  })

  it('serves a script beside one that has much to do: neither waits for the other', async () => {
    const work = 'const end = Date.now() + 10; while (Date.now() < end);'
    await put('busy', { onStoredInstance: work })
    for (let n = 0; n < 200; n++) await store.record(arrivalOf({ instance: String(n) }))
    dispatch.wake()
    await ended('busy', 20)
    await put('late', { onStoredInstance: '' })
    const before = (await runsOf('busy')).length
    await store.record(arrivalOf({ instance: 'one more' }))
    dispatch.wake()
    await ended('late', 1)
    // Its own share of the work meanwhile: it is at about fifty a second.
    expect((await runsOf('busy')).length - before).toBeLessThan(60)
    await ended('busy', 201)
  })

  it('tries a failed run again, holds back its study alone, and sets it aside after the last try', async () => {
    await put(
      's',
      { onStoredInstance: `if (event.studyTags.StudyInstanceUID === '1.BAD') throw new Error('no')` },
      { attempts: 2 },
    )
    await store.record(arrivalOf({ instance: '1', study: 'BAD' }))
    await store.record(arrivalOf({ instance: '2', study: 'GOOD' }))
    await store.record(arrivalOf({ instance: '3', study: 'BAD' }))
    dispatch.wake()
    const runs = await ended('s', 5)
    const of = (instance: string, study: string) =>
      runs.filter(({ resource }) => resource!.id === arrivalOf({ instance, study }).header.ids.instance)
    expect(of('1', 'BAD').map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['threw', 1],
      ['threw', 2],
    ])
    expect(of('2', 'GOOD').map(({ outcome }) => outcome)).toEqual(['ok'])
    const order = runs.map(({ id, resource }) => ({ id, resource: resource!.id }))
    const lastOfFirst = order.findLast(({ resource }) => resource === of('1', 'BAD')[0]!.resource!.id)!
    const firstOfThird = order.find(({ resource }) => resource === of('3', 'BAD')[0]!.resource!.id)!
    expect(firstOfThird.id).toBeGreaterThan(lastOfFirst.id)
    await until('the two dead deliveries', async () =>
      (await store.backlog()).every(({ dead, waiting, leased }) => dead === 2 && waiting + leased === 0),
    )
  })

  it('keeps what a run wrote to its memory only if the run ended well, and shows it to the next', async () => {
    const body = `
      const seen = (await host.kv.get('seen')) ?? 0
      await host.kv.set('seen', seen + 1)
      if (event.attempt === 1) throw new Error('the first try always fails')`
    await put('counting', { onStoredInstance: body })
    for (let n = 0; n < 5; n++) await store.record(arrivalOf({ instance: String(n) }))
    dispatch.wake()
    await ended('counting', 10)
    await until('five counted', async () => (await store.keyValue('counting', 'seen')) === '5')
  })

  it('shows each of many short runs, also those handed over ahead, what the one before wrote to its memory', async () => {
    const body = `
      globalThis.n = (globalThis.n ?? 0) + 1
      if (globalThis.n % 3 !== 0) return
      const seen = (await host.kv.get('seen')) ?? 0
      await host.kv.set('seen', seen + 1)`
    await put('counting', { onStoredInstance: body })
    for (let n = 0; n < 150; n++) await store.record(arrivalOf({ instance: String(n) }))
    dispatch.wake()
    const runs = await ended('counting', 150)
    expect(runs.map(({ outcome }) => outcome)).toEqual(runs.map(() => 'ok'))
    await until('fifty counted', async () => (await store.keyValue('counting', 'seen')) === '50')
  })

  it('ends each delivery well once, and tells those of a study in order, though runs fail now and then', async () => {
    const body = `
      globalThis.n = (globalThis.n ?? 0) + 1
      if (globalThis.n % 7 === 0) throw new Error('now and then')`
    await put('s', { onStoredInstance: body }, { attempts: 100 })
    const arrivals = Array.from({ length: 120 }, (_, n) =>
      arrivalOf({ instance: String(n), study: `S${n % 3}` }),
    )
    for (const arrival of arrivals) await store.record(arrival)
    const studyOf = new Map(arrivals.map(({ header: { ids } }) => [ids.instance, ids.study]))
    dispatch.wake()
    const isWell = ({ outcome }: RunSummary) => outcome === 'ok'
    const runs = await until('as many runs that ended well', async () => {
      const all = await runsOf('s')
      return all.filter(isWell).length >= arrivals.length && all
    })
    const well = runs.filter(isWell)
    expect(new Set(well.map(({ seq }) => seq)).size).toBe(arrivals.length)
    expect(runs.length - well.length).toBeGreaterThan(10)
    for (const study of new Set(studyOf.values())) {
      const seqs = runs.filter(({ resource }) => studyOf.get(resource!.id) === study).map(({ seq }) => seq)
      expect(seqs).toEqual([...seqs].sort((left, right) => left - right))
    }
  })

  it('skips what was deleted before its turn came, and says so', async () => {
    await put('s', { onStoredInstance: '', onDeletedInstance: '' })
    const { ids } = arrivalOf({ instance: '1' }).header
    await store.record(arrivalOf({ instance: '1' }))
    await store.remove('Instance', ids.instance)
    dispatch.wake()
    const runs = await ended('s', 2)
    expect(runs.map(({ callback, outcome }) => [callback, outcome])).toEqual([
      ['onStoredInstance', 'skipped'],
      ['onDeletedInstance', 'ok'],
    ])
    expect(runs[0]?.reason).toContain('deleted')
  })

  it('skips a callback that the version in force no longer has', async () => {
    await put('s', { onStoredInstance: '', onNewStudy: '' })
    await store.record(arrivalOf({ instance: '1' }))
    await store.lease({ s: 1 }, 0)
    await put('s', { onNewStudy: '' })
    dispatch.wake()
    // The lease that nobody held is one of the three.
    const runs = await ended('s', 3)
    expect(runs.map(({ callback, outcome }) => [callback, outcome])).toContainEqual([
      'onStoredInstance',
      'skipped',
    ])
    expect(runs.map(({ callback, outcome }) => [callback, outcome])).toContainEqual(['onNewStudy', 'ok'])
  })

  it('runs what is owed after it was stopped', async () => {
    await put('s', { onStoredInstance: '' })
    await dispatch.close()
    await host.close()
    await store.record(arrivalOf({ instance: '1' }))
    await begin()
    dispatch.wake()
    expect(await ended('s', 1)).toMatchObject([{ outcome: 'ok', attempt: 1 }])
  })

  it('does not wait at its end for a run that does not end: it is told anew', async () => {
    await put('s', { onStoredInstance: 'if (event.attempt === 1) await new Promise(() => {})' })
    await store.record(arrivalOf({ instance: '1' }))
    dispatch.wake()
    await until('it to be at work', async () => (await store.backlog())[0]!.leased === 1)
    await dispatch.close()
    await host.close()
    await runtime.close()
    await store.close()
    store = await openSqlite({ folder: folder.path })
    runtime = await startRuntime({ log })
    await begin()
    await put('s', { onStoredInstance: '' })
    dispatch.wake()
    const runs = await ended('s', 2)
    // As long as the stop waited for it, at least.
    expect(runs[0]!.durationMs).toBeGreaterThan(250)
    expect(runs).toMatchObject([
      { outcome: 'crashed', attempt: 1, reason: expect.stringContaining('The server was stopped') },
      { outcome: 'ok', attempt: 1 },
    ])
  })
})
