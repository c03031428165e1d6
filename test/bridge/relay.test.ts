/** Changes go out to a real RabbitMQ, where one is found. */
import { setTimeout as wait } from 'node:timers/promises'
import type { AsyncMessage } from 'rabbitmq-client'
import { describe, expect, it } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { type Broker, hasRabbitmq, openBroker, openLine } from '../support/rabbitmq.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Event {
  specversion: string
  id: string
  source: string
  type: string
  subject: string
  partitionkey: string
  sequence: string
  data: { Seq: number; ChangeType: string; ID: string; [fact: string]: unknown }
}

const eventOf = ({ body }: AsyncMessage) => JSON.parse(String(body)) as Event
const numbers = (messages: readonly AsyncMessage[]) => messages.map((each) => eventOf(each).data.Seq)
/** Up to `last`, without gaps, where the first time of each counts. */
const inOrder = (messages: readonly AsyncMessage[], first: number, last: number) =>
  expect([...new Set(numbers(messages))]).toEqual(
    Array.from({ length: last - first + 1 }, (_, n) => first + n),
  )
const lastOf = async (engine: TestEngine) =>
  (await engine.read<{ Last: number }>('/changes?last&limit=1')).Last
const published = (engine: TestEngine) => async () => {
  const { published } = await engine.read<{ published: { behind: number } | null }>('/rabbitmq')
  return published?.behind === 0
}
const start = (broker: Broker, settings: object = {}, data?: string) =>
  startTestEngine({ settings: { ...broker.settings, ...settings }, ...(data === undefined ? {} : { data }) })

describe.skipIf(!hasRabbitmq)('what is published (needs RabbitMQ on 127.0.0.1:5672)', () => {
  it('is every change from the first start on, in the order of the log, as a durable CloudEvent', async () => {
    await using broker = await openBroker()
    const heard = await broker.listen()
    await using engine = await start(broker)
    await until('the relay to begin', published(engine))
    const { answer } = await engine.post(dicomFile({ patientName: 'Secret^Name' }))
    await fetch(`${engine.url}/patients/${answer.ParentPatient}/settle`, { method: 'POST' })
    await fetch(`${engine.url}/patients/${answer.ParentPatient}`, { method: 'DELETE' })
    await until('all of them', () => heard.length >= 11)
    expect(numbers(heard)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(heard.map(({ routingKey }) => routingKey)).toEqual([
      ...['instance.new', 'series.new', 'study.new', 'patient.new'],
      ...['series.stable', 'study.stable', 'patient.stable'],
      ...['instance.deleted', 'series.deleted', 'study.deleted', 'patient.deleted'],
    ])
    const stable = heard[5]!
    const event = eventOf(stable)
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'onstable.study.stable',
      subject: `studies/${answer.ParentStudy}`,
      partitionkey: answer.ParentStudy,
      sequence: '0000000000000006',
      data: { ChangeType: 'StableStudy', ID: answer.ParentStudy, Revision: 1, Instances: 1, PatientID: 'P1' },
    })
    expect(stable).toMatchObject({
      messageId: event.id,
      type: event.type,
      contentType: 'application/cloudevents+json',
      durable: true,
      headers: { cloudEvents_id: event.id, cloudEvents_partitionkey: answer.ParentStudy },
    })
    expect(String(stable.body)).not.toContain('Secret')
  })

  it('can be had by topic', async () => {
    await using broker = await openBroker()
    const heard = await broker.listen('*.stable')
    await using engine = await start(broker, { stableAge: 0.2 })
    await until('the relay to begin', published(engine))
    await engine.post(dicomFile())
    await until('the stable ones', () => heard.length === 3)
    expect(heard.map(({ routingKey }) => routingKey)).toEqual([
      'series.stable',
      'study.stable',
      'patient.stable',
    ])
  })

  it('is also what came while the broker was away from the first start on', async () => {
    await using broker = await openBroker()
    await using line = await openLine()
    const heard = await broker.listen()
    line.cut()
    await using engine = await start(broker, { rabbitmq: line.url })
    await engine.post(dicomFile())
    line.mend()
    await until('all to be published', published(engine))
    await until('all of them', () => heard.length === 4)
  })

  it('waits for a queue that is full, does not flood the others, and goes on in order', async () => {
    await using broker = await openBroker()
    const heard = await broker.listen()
    const { queue } = await broker.channel.queueDeclare({
      exclusive: true,
      arguments: { 'x-max-length': 3, 'x-overflow': 'reject-publish' },
    })
    await broker.channel.queueBind({ queue, exchange: broker.settings.rabbitmqExchange, routingKey: '#' })
    await using engine = await start(broker)
    await until('the relay to begin', published(engine))
    for (let n = 0; n < 5; n++) await engine.post(dicomFile({ study: `S${n}` }))
    const state = () =>
      engine.read<{ refusedSince: string | null; published: { cursor: number } }>('/rabbitmq')
    await until('it to be refused', async () => (await state()).refusedSince !== null)
    const last = await lastOf(engine)
    await wait(1_500)
    expect(heard.length).toBeLessThan(3 * last)
    const full: number[] = []
    await until('all to be published', async () => {
      for (let message = await broker.channel.basicGet(queue); message !== undefined; ) {
        full.push(eventOf(message as never).data.Seq)
        broker.channel.basicAck({ deliveryTag: message.deliveryTag })
        message = await broker.channel.basicGet(queue)
      }
      return (await state()).published.cursor === last
    })
    inOrder(heard, 1, last)
    expect((await state()).refusedSince).toBeNull()
  })

  it('goes to an exchange that somebody else has made in another way', async () => {
    await using broker = await openBroker()
    const { rabbitmqExchange: exchange } = broker.settings
    await broker.channel.exchangeDelete({ exchange })
    await broker.channel.exchangeDeclare({
      ...{ exchange, type: 'topic', durable: true },
      arguments: { 'alternate-exchange': 'amq.fanout' },
    })
    const heard = await broker.listen()
    await using engine = await start(broker)
    await engine.post(dicomFile())
    await until('all of them', () => heard.length === 4)
  })

  it('waits while the broker is away, and comes whole and in order when it is back', async () => {
    await using broker = await openBroker()
    await using line = await openLine()
    const heard = await broker.listen()
    await using engine = await start(broker, { rabbitmq: line.url })
    await until('the relay to begin', published(engine))
    let sent = 0
    const send = async (count: number) => {
      for (let n = 0; n < count; n++) {
        expect((await engine.post(dicomFile({ study: `S${sent}` }))).status).toBe(200)
        sent++
      }
    }
    for (let round = 0; round < 3; round++) {
      await send(20)
      line.cut()
      await send(20)
      line.mend()
    }
    await until('all to be published', published(engine))
    const last = await lastOf(engine)
    await until('all of them', () => new Set(numbers(heard)).size === last)
    inOrder(heard, 1, last)
    const ids = heard.map((each) => `${eventOf(each).data.Seq} ${each.messageId}`)
    expect(new Set(ids).size).toBe(last)
  })

  it('goes on where it was when the server is started again', async () => {
    await using broker = await openBroker()
    using folder = temporaryFolder()
    const heard = await broker.listen()
    {
      await using engine = await start(broker, {}, folder.path)
      await until('the relay to begin', published(engine))
      await engine.post(dicomFile({ instance: '1' }))
      await until('all to be published', published(engine))
    }
    {
      await using engine = await startTestEngine({ data: folder.path })
      await engine.post(dicomFile({ instance: '2' }))
    }
    await using engine = await start(broker, {}, folder.path)
    await engine.post(dicomFile({ instance: '3' }))
    await until('all to be published', published(engine))
    await until('all of them', () => heard.length >= 6)
    expect(numbers(heard)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('is published once more on demand, under the same ids', async () => {
    await using broker = await openBroker()
    const heard = await broker.listen()
    await using engine = await start(broker)
    await until('the relay to begin', published(engine))
    await engine.post(dicomFile())
    await until('all of them', () => heard.length === 4)
    const answer = await fetch(`${engine.url}/rabbitmq/replay?seq=2`, { method: 'POST' })
    expect(await answer.json()).toEqual({ Since: 2, Until: 4, Changes: 2 })
    await until('two once more', () => heard.length >= 6)
    expect(numbers(heard)).toEqual([1, 2, 3, 4, 3, 4])
    expect(heard[4]!.messageId).toBe(heard[2]!.messageId)
    const tooFar = await fetch(`${engine.url}/rabbitmq/replay?seq=9999`, { method: 'POST' })
    expect([tooFar.status, await tooFar.text()]).toEqual([400, expect.stringContaining('the log ends at 4')])
  })

  it('is nothing where the exchange is of another kind, and says so', async () => {
    await using broker = await openBroker()
    const { rabbitmqExchange: exchange } = broker.settings
    await broker.channel.exchangeDelete({ exchange })
    await broker.channel.exchangeDeclare({ exchange, type: 'direct', durable: true })
    await using engine = await start(broker)
    await engine.post(dicomFile())
    await until('the log to say it', () =>
      engine.lines.some(({ reason }) => /inequivalent arg 'type'/.test(String(reason))),
    )
    expect(await lastOf(engine)).toBe(4)
  })
})

it('a server whose broker is not there starts, takes in, and says it once', async () => {
  await using engine = await startTestEngine({
    settings: { rabbitmq: 'amqp://guest:hidden-word@127.0.0.1:1' },
  })
  expect((await engine.post(dicomFile())).status).toBe(200)
  expect(await engine.read('/rabbitmq')).toMatchObject({ isConnected: false, waiting: null, dead: null })
  const lines = () => engine.lines.filter(({ msg }) => /RabbitMQ/.test(String(msg)))
  await until('the log to say it', () => lines().length > 0)
  expect(lines()).toHaveLength(2)
  expect(JSON.stringify(engine.lines)).not.toContain('hidden-word')
})

it('a server without a broker says that it has none', async () => {
  await using engine = await startTestEngine()
  const answer = await fetch(`${engine.url}/rabbitmq`)
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({ Details: expect.stringContaining('No RabbitMQ is set') })
})
