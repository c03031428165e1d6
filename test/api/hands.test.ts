/** What an administrator can do about scripts, runs and deliveries over REST, on a whole engine. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

type Answer = Record<string, unknown>
type Row = { id: number; outcome: string; script: string; version: string; seq: number }

const scripts = {
  'good.js': `export const script = { every: '1h' }
    export function onStoredInstance(instance, host) { host.log('seen ' + instance.tags.InstanceNumber) }
    export function onHeartbeat() {}`,
  'bad.js': `export const script = { retry: { attempts: 2, delay: '10ms' } }
    export function onStoredInstance(instance, host) { host.log('told'); throw new Error('no') }`,
}

let engine: TestEngine
beforeAll(async () => {
  engine = await startTestEngine({ scripts })
  await until('the scripts', async () => (await engine.read<Row[]>('/scripts')).length === 2)
})
afterAll(() => engine[Symbol.asyncDispose]())

const ask = async (method: string, path: string): Promise<Answer> =>
  (await (await fetch(engine.url + path, { method })).json()) as Answer
const post = (path: string) => ask('POST', path)
const runs = (query: string) => engine.read<Row[]>(`/runs?${query}`)
const isEnded = (query: string, count: number) =>
  until(`${count} runs of ${query}`, async () => {
    const found = await runs(query)
    return found.length >= count ? found : undefined
  })
const dead = () => engine.read<{ id: number }[]>('/deliveries?state=dead')

test('what there is not is named, with what was probably meant', async () => {
  const details = async (path: string) => (await post(path)).Details
  expect(await details('/scripts/good/pause')).toBe('There is no script "good": did you mean "good.js"?')
  expect(await details('/runs/999999/replay')).toBe('There is no run 999999')
  expect(await details('/deliveries/999999/retry')).toBe('There is no delivery 999999')
  expect(await details('/nodes/x/drain')).toMatch(/^There is no server "x"/)
})

describe('dead deliveries', () => {
  test('are listed with why, shown with all their runs, retried, and dropped', async () => {
    await engine.post(dicomFile({ study: 'DEAD', instance: '1' }))
    await isEnded('script=bad.js', 2)
    const [letter] = await until('a dead delivery', async () => {
      const found = await dead()
      return found.length > 0 ? found : undefined
    })
    expect(letter).toMatchObject({
      script: 'bad.js',
      state: 'dead',
      attempt: 2,
      reason: { message: 'no', file: 'bad.js' },
    })
    expect(engine.lines).toContainEqual(
      expect.objectContaining({ level: 40, delivery: letter!.id, msg: expect.stringMatching(/^Set aside/) }),
    )
    const shown = await engine.read<Answer>(`/deliveries/${letter!.id}`)
    expect(shown).toMatchObject({
      event: { change: 'NewInstance', level: 'Instance' },
      runs: [
        { attempt: 1, attempts: 2, outcome: 'threw', logs: [{ level: 'info', text: 'told' }] },
        { attempt: 2, attempts: 2, outcome: 'threw' },
      ],
    })
    expect(await post(`/deliveries/${letter!.id}/retry`)).toEqual({ Changed: true })
    await isEnded('script=bad.js', 4)
    await until('it to be dead again', async () => (await dead()).length === 1)
    expect(await post('/deliveries/dead/retry?script=good.js')).toEqual({ retried: 0 })
    expect(await post('/deliveries/dead/retry')).toEqual({ retried: 1 })
    await isEnded('script=bad.js', 6)
    await until('it to be dead once more', async () => (await dead()).length === 1)
    expect(await ask('DELETE', `/deliveries/${letter!.id}`)).toEqual({ Changed: true })
    expect(await ask('DELETE', '/deliveries/dead')).toEqual({ dropped: 0 })
    expect(await post(`/deliveries/${letter!.id}/retry`)).toMatchObject({ HttpStatus: 404 })
  })
})

describe('a paused script', () => {
  test('is told nothing until it is resumed; others are, unless all are paused', async () => {
    expect(await post('/scripts/good.js/pause')).toEqual({ Changed: true })
    expect(await post('/scripts/good.js/pause')).toEqual({ Changed: false })
    const before = (await runs('script=good.js')).length
    const others = (await runs('script=bad.js')).length
    await engine.post(dicomFile({ study: 'PAUSE', instance: '1' }))
    await isEnded('script=bad.js', others + 2)
    expect(await runs('script=good.js')).toHaveLength(before)
    expect(await engine.read('/scripts')).toMatchObject([
      { paused: false },
      { name: 'good.js', paused: true },
    ])
    expect(await post('/drain?timeout=10')).toEqual({ Changed: true, Drained: true })
    expect(await post('/scripts/good.js/resume')).toEqual({ Changed: true, AllPaused: true })
    expect(await engine.read('/scripts')).toMatchObject([{ paused: true }, { paused: true }])
    expect(await post('/resume')).toEqual({ Changed: true })
    expect(await post('/resume')).toEqual({ Changed: false })
    await isEnded('script=good.js', before + 1)
    expect(await post('/scripts/nobody.js/pause')).toMatchObject({ HttpStatus: 404 })
  })
})

describe('runs', () => {
  test('are searched by what is given, and a word that is none is refused with those that are', async () => {
    expect((await runs('outcome=threw,ok&script=good.js')).every(({ outcome }) => outcome === 'ok')).toBe(
      true,
    )
    expect(await runs('since=2999-01-01')).toEqual([])
    expect((await runs('until=2999-01-01&limit=1')).length).toBe(1)
    expect(await engine.read('/runs?outcome=fine')).toMatchObject({
      HttpStatus: 400,
      Details: expect.stringContaining('"fine" is none of ok, threw'),
    })
    expect(await engine.read('/runs?since=yesterday')).toMatchObject({
      HttpStatus: 400,
      Details: expect.stringContaining('2026-'),
    })
    expect(await engine.read('/runs/0')).toMatchObject({ HttpStatus: 404 })
    expect(await engine.read('/runs/x')).toMatchObject({ HttpStatus: 404 })
  })

  test('are replayed one by one, or all that match, and say so in their key', async () => {
    const [first] = await runs('script=good.js&limit=1')
    expect(await post(`/runs/${first!.id}/replay?version=original`)).toEqual({
      replayed: 1,
      waiting: 0,
      gone: 0,
    })
    const again = await until('the replay', async () => {
      const [latest] = await runs('script=good.js&limit=1')
      return latest!.id === first!.id ? undefined : latest
    })
    expect(again).toMatchObject({ seq: first!.seq, version: first!.version, outcome: 'ok' })
    const shown = await engine.read<{ event: { idempotencyKey: string } }>(`/runs/${again.id}`)
    expect(shown).toMatchObject({ script: 'good.js', event: { seq: first!.seq } })
    const count = (await runs('script=good.js')).length
    expect(await post('/runs/replay?script=good.js&limit=1')).toMatchObject({ replayed: 1 })
    await isEnded('script=good.js', count + 1)
  })

  test('since a change or a time are replayed after a preview of how many', async () => {
    const count = (await runs('script=good.js&limit=1000')).length
    const preview = await post('/scripts/good.js/replay?seq=0&preview')
    expect(preview).toMatchObject({ preview: true, since: 0, deliveries: 2 })
    expect(await post('/scripts/good.js/replay?since=2020-01-01')).toMatchObject({
      preview: false,
      deliveries: 2,
    })
    await isEnded('script=good.js&limit=1000', count + 2)
    for (const bad of ['', '?seq=0&since=2020-01-01', '?seq=x']) {
      expect(await post(`/scripts/good.js/replay${bad}`)).toMatchObject({ HttpStatus: 400 })
    }
  })

  test('that are given by number are replayed in the order of the log, all or none', async () => {
    await engine.post(dicomFile({ study: 'ORDER', instance: '1' }))
    const { answer } = await engine.post(dicomFile({ study: 'ORDER', instance: '2' }))
    const query = `script=good.js&resource=${answer.ParentStudy}`
    const [second, first] = await isEnded(query, 2)
    const ids = `${second!.id},${first!.id}`
    expect(await post(`/runs/replay?ids=${ids},999999`)).toMatchObject({
      HttpStatus: 404,
      Details: 'There is no run 999999',
    })
    expect(await post(`/runs/replay?${query}&preview`)).toEqual({
      preview: true,
      ids: [first!.id, second!.id],
    })
    expect(await post(`/runs/replay?ids=${ids}`)).toEqual({ replayed: 2, waiting: 0, gone: 0 })
    const seqs = (await isEnded(query, 4)).map(({ seq }) => seq)
    expect(seqs).toEqual([second!.seq, first!.seq, second!.seq, first!.seq])
  })
})

describe('/events', () => {
  interface Event {
    kind: string
    id: string
    value: Record<string, unknown>
  }
  /** Reads until `count` events have come. */
  const eventsOf = async (path: string, count: number, headers = {}, onOpen = async () => {}) => {
    const ending = new AbortController()
    const response = await fetch(engine.url + path, { headers, signal: ending.signal })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const found: Event[] = []
    let text = ''
    await onOpen()
    for await (const some of response.body!.pipeThrough(new TextDecoderStream())) {
      text += some
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const [, kind, id, data] = /^event: (\w+)\nid: ([\d.]+)\ndata: (.*)$/.exec(block) ?? []
        if (kind !== undefined) found.push({ kind, id: id!, value: JSON.parse(data!) })
      }
      if (found.length >= count) break
    }
    ending.abort()
    return found
  }

  test('tell of changes, runs and scripts as they happen, and go on where a reader ended', async () => {
    const sent = () => engine.post(dicomFile({ study: 'EVENTS', instance: '1' })).then(() => {})
    // The states of both scripts, 3 changes of a new study, and three runs.
    const found = await eventsOf('/events', 8, {}, sent)
    expect(found.filter(({ kind }) => kind === 'script').map(({ value }) => value.name)).toEqual([
      'bad.js',
      'good.js',
    ])
    expect(found.filter(({ kind }) => kind === 'change').length).toBeGreaterThanOrEqual(3)
    const last = await eventsOf('/events?kinds=change,run&after=0.0', 5)
    expect(last.map(({ kind }) => kind).slice(0, 4)).toEqual(['change', 'change', 'change', 'change'])
    const again = await eventsOf('/events?kinds=change,run', 1, { 'last-event-id': last[1]!.id })
    expect(again[0]).toEqual(last[2])
  })

  test('who is cut off behind any of them misses nothing of the others', async () => {
    const [first, second, third] = await eventsOf('/events?after=1.0', 3)
    expect([first, second].map((each) => [each!.kind, each!.id])).toEqual([
      ['script', '1.0'],
      ['script', '1.0'],
    ])
    expect(third).toMatchObject({ kind: 'change', id: '2.0' })
  })

  test('of runs only those that match are told', async () => {
    const found = await eventsOf('/events?kinds=run&script=bad.js&outcome=threw&after=0.0', 3)
    expect(new Set(found.map(({ value }) => `${value.script} ${value.outcome}`))).toEqual(
      new Set(['bad.js threw']),
    )
    for (const bad of ['kinds=x', 'after=1', 'outcome=fine', 'callback=onFoo']) {
      expect((await fetch(`${engine.url}/events?${bad}`)).status).toBe(400)
    }
  })
})

describe('a slip', () => {
  test.each([
    ['DELETE', '/deliveries/dead?scirpt=bad.js'],
    ['DELETE', '/deliveries/dead?script=nobody.js'],
    ['POST', '/deliveries/dead/retry?script=nobody.js'],
    ['POST', '/runs/replay'],
    ['POST', '/runs/replay?ouctome=threw'],
    ['POST', '/runs/replay?ids=1,x'],
    ['POST', '/runs/replay?ids=1&outcome=threw'],
    ['GET', '/runs?foo=bar'],
    ['GET', '/runs?since=2026-02-31'],
    ['GET', '/deliveries?sate=dead'],
    ['POST', '/drain?timeout=-1'],
    ['POST', '/scripts/good.js/drain?timeout=abc'],
  ])('%s %s does nothing, and is told', async (method, path) => {
    const before = await engine.read<unknown[]>('/deliveries')
    const { status } = await fetch(engine.url + path, { method })
    expect([400, 404]).toContain(status)
    expect(await engine.read('/deliveries')).toEqual(before)
    expect(await post('/resume')).toEqual({ Changed: false })
    expect(await post('/scripts/good.js/resume')).toEqual({ Changed: false })
  })
})
