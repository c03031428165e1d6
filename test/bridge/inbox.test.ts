/** Instances that are held elsewhere, and commands, come by a real RabbitMQ, where one is found. */
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { orthancIdentifiers } from '../../src/dicom/dicom.ts'
import { dicomFile, uidsOf } from '../support/dicom-files.ts'
import { type Broker, hasRabbitmq, openBroker, openLine } from '../support/rabbitmq.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface Facts {
  patient?: string
  study?: string
  series?: string
  instance?: string
}
/** As Orthanc's `simplified-tags` has them. */
function tagsOf(facts: Facts = {}) {
  const uids = uidsOf(facts)
  return {
    PatientID: facts.patient ?? 'P1',
    StudyInstanceUID: uids.study,
    SeriesInstanceUID: uids.series,
    SOPInstanceUID: uids.instance,
    Modality: 'CT',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: '1.2' }],
  }
}
function idsOf(facts: Facts = {}) {
  const tags = tagsOf(facts)
  return orthancIdentifiers({
    patientId: tags.PatientID,
    studyInstanceUid: tags.StudyInstanceUID,
    seriesInstanceUid: tags.SeriesInstanceUID,
    sopInstanceUid: tags.SOPInstanceUID,
  })
}
let events = 0
const eventOf = (type: string, data: object, id = `e${events++}`) => ({
  specversion: '1.0',
  id,
  source: '/test',
  type,
  data,
})
const arrivalOf = (facts: Facts, remoteAet?: string) =>
  eventOf('onstable.arrival', { tags: tagsOf(facts), ...(remoteAet === undefined ? {} : { remoteAet }) })

interface State {
  received: Record<'arrivals' | 'repeated' | 'commands' | 'passedOver' | 'dead' | 'inHand', number>
  waiting: number
  dead: number
}
const stateOf = (engine: TestEngine) => engine.read<State>('/rabbitmq')
const received = async (engine: TestEngine) => (await stateOf(engine)).received
const stableOf = async (engine: TestEngine) =>
  (await engine.read<{ Changes: { ID: string }[] }>('/changes?limit=1000&type=StableStudy')).Changes.map(
    ({ ID }) => ID,
  )
const start = (broker: Broker, settings: object = {}, scripts: Record<string, string> = {}) =>
  startTestEngine({ settings: { ...broker.settings, ...settings }, scripts })

describe.skipIf(!hasRabbitmq)('what is taken in (needs RabbitMQ on 127.0.0.1:5672)', () => {
  it('is an instance in each of the formats in the field, once however often it is announced', async () => {
    await using broker = await openBroker()
    await using archive = await startTestEngine()
    for (const instance of ['1', '2', '3', '4', '5'])
      await archive.post(dicomFile({ instance, place: Number(instance) }))
    await using engine = await start(broker, { orthancs: [archive.url] })
    const id = (instance: string) => idsOf({ instance }).instance
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    const formats: [unknown, object?][] = [
      // An Orthanc plugin that sends CloudEvents without saying so.
      [
        {
          ...eventOf('orthanc-server-extensions.change-event', {
            change_type: 3,
            resource_type: 3,
            resource_id: id('1'),
          }),
          source: 'https://orthanc-server-identifer',
        },
      ],
      // A Lua script by the management interface: the identifier alone.
      [id('2')],
      // A Python plugin: simplified tags.
      [{ dicom: tagsOf({ instance: '3' }), instanceId: id('3'), tenantId: 't', orthancTenantPath: '/t' }],
      // An item of /changes.
      [
        {
          ...{ ChangeType: 'NewInstance', Date: '20261127T101112', ID: id('4') },
          ...{ Path: `/instances/${id('4')}`, ResourceType: 'Instance', Seq: 12 },
        },
      ],
      // Ours, as its body and as headers.
      [arrivalOf({ instance: '5' }, 'CT1')],
      [
        { tags: tagsOf({ instance: '6' }) },
        {
          headers: {
            'cloudEvents:specversion': '1.0',
            'cloudEvents:type': 'onstable.arrival',
            'cloudEvents:source': '/x',
            'cloudEvents:id': '1',
          },
        },
      ],
    ]
    for (const [body, more] of formats) await broker.send(body, more)
    for (const [body, more] of formats) await broker.send(body, more)
    await until('all of them', async () => {
      const { arrivals, repeated } = await received(engine)
      return arrivals + repeated === 12
    })
    expect(await received(engine)).toMatchObject({ arrivals: 6, repeated: 6, dead: 0, inHand: 0 })
    const { IsHeldElsewhere, MainDicomTags } = await engine.read<Record<string, unknown>>(
      `/instances/${id('1')}`,
    )
    expect(IsHeldElsewhere).toBe(true)
    expect(MainDicomTags).toMatchObject({ InstanceNumber: '1' })
    expect((await engine.read<string[]>('/instances')).sort()).toEqual(
      ['1', '2', '3', '4', '5', '6'].map(id).sort(),
    )
    expect(await engine.read('/statistics')).toMatchObject({
      CountStudies: 1,
      CountSeries: 1,
      TotalDiskSize: '0',
    })
    const file = await fetch(`${engine.url}/instances/${id('1')}/file`)
    expect(file.status).toBe(404)
    expect(await file.text()).toContain('another archive holds it')
  })

  it('passes over what is known and does not arrive, and its own changes', async () => {
    await using broker = await openBroker()
    await broker.channel.queueDeclare({ queue: broker.settings.rabbitmqQueue, durable: true })
    await broker.channel.queueBind({
      queue: broker.settings.rabbitmqQueue,
      exchange: broker.settings.rabbitmqExchange,
      routingKey: '#',
    })
    await using engine = await start(broker)
    await until(
      'the relay to begin',
      async () => (await engine.read<{ published: unknown }>('/rabbitmq')).published,
    )
    await broker.send({
      ChangeType: 'StableStudy',
      ID: idsOf().study,
      Path: '',
      ResourceType: 'Study',
      Seq: 1,
    })
    await broker.send(
      eventOf('orthanc-server-extensions.change-event', {
        change_type: 10,
        resource_type: 4,
        resource_id: '',
      }),
    )
    await engine.post(dicomFile())
    await until('all of them', async () => (await received(engine)).passedOver === 6)
    expect(await received(engine)).toMatchObject({ arrivals: 0, dead: 0 })
  })

  it('becomes stable, and scripts are told', async () => {
    await using broker = await openBroker()
    const script = `export const onStableStudy = (study) => console.log(study.origins[0].requestOrigin, study.origins[0].remoteAet)`
    await using engine = await start(broker, { stableAge: 0.3 }, { 'tell.ts': script })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(arrivalOf({ instance: '1' }, 'CT1'))
    await broker.send(arrivalOf({ instance: '2' }, 'CT1'))
    const [run] = await until('the run', async () => {
      const runs = await engine.read<{ logs: { text: string }[] }[]>('/runs')
      return runs.length > 0 && runs
    })
    expect(run!.logs.map(({ text }) => text)).toEqual(['Broker CT1'])
    expect(await stableOf(engine)).toEqual([idsOf().study])
  })

  it('cannot be sent on from here, and a script that tries is told why', async () => {
    await using broker = await openBroker()
    const script = `export const script = { needs: { send: ['PACS'] }, retry: { attempts: 1 } }
      export const onStableStudy = (study, host) => host.send(study, 'PACS')`
    const settings = {
      stableAge: 0.3,
      modalities: { PACS: { aet: 'PACS', host: '127.0.0.1', port: 1 } },
      grants: { 'send.ts': { send: ['PACS'] } },
    }
    await using engine = await start(broker, settings, { 'send.ts': script })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(arrivalOf({}))
    const [run] = await until('the run', async () => {
      const runs = await engine.read<{ reason: { message: string } }[]>('/runs')
      return runs.length > 0 && runs
    })
    expect(JSON.stringify(run)).toContain('Another archive holds 1 of the instances')
  })

  it('is set aside with its reason when it cannot be read, and can be put back', async () => {
    await using broker = await openBroker()
    await using archive = await startTestEngine()
    const bad: [unknown, RegExp][] = [
      ['not json', /neither JSON nor the identifier/],
      ['[1]', /Expected a JSON object/],
      [{ hello: 'world' }, /Expected tags of an instance/],
      [{ dicom: { PatientID: 'x' } }, /no SOPInstanceUID/],
      [{ dicom: tagsOf(), instanceId: idsOf({ instance: '9' }).instance }, /and it says/],
      [eventOf('onstable.command.dance', {}), /no command "onstable.command.dance"/],
      [eventOf('onstable.command.settle', { level: 'instance', id: idsOf().instance }), /level/],
      [eventOf('onstable.command.settle', { level: 'study', id: idsOf().study }), /no such resource/],
      [idsOf({ study: 'nowhere' }).instance, /None of "orthancs" has the instance/],
    ]
    await using engine = await start(broker, { orthancs: [archive.url] })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    for (const [index, [body]] of bad.entries()) {
      await broker.send(body)
      await until(`number ${index} to be set aside`, async () => (await received(engine)).dead === index + 1)
    }
    const dead = await broker.dead()
    for (const [index, [, reason]] of bad.entries()) expect(dead[index]!.reason).toMatch(reason)
    expect(dead[0]!.body).toBe(bad[0]![0])
    // The command can be carried out now, and the instance is found.
    await broker.send(arrivalOf({}))
    await archive.post(dicomFile({ study: 'nowhere' }))
    await until('the instance', async () => (await received(engine)).arrivals === 1)
    const answer = await fetch(`${engine.url}/rabbitmq/requeue`, { method: 'POST' })
    expect(await answer.json()).toEqual({ Requeued: bad.length, Left: 0 })
    await until('all of them again', async () => {
      const { commands, arrivals, dead } = await received(engine)
      return commands === 1 && arrivals === 2 && dead === 2 * bad.length - 2
    })
  })

  it('holds up nothing behind it, however odd it is, and is set aside once', async () => {
    await using broker = await openBroker()
    const { rabbitmqQueue: queue } = broker.settings
    await using engine = await start(broker)
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    const long = 'x'.repeat(10_000)
    await broker.send(eventOf(`onstable.command.${long}`, {}))
    await broker.send('junk', { headers: { long } })
    await broker.send(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, { contentType: 'application/json' })
    // The usual way to have a copy in our queue: a copy of that would come again.
    await broker.send('copied', { routingKey: 'nowhere', headers: { CC: [queue] } })
    await broker.send(arrivalOf({}))
    await broker.send(eventOf('onstable.command.settle', { level: 'study', id: idsOf().study }))
    await until('it to settle', async () => (await stableOf(engine)).length === 1)
    await wait(500)
    await until('all to be set aside', async () => (await stateOf(engine)).dead === 4)
    expect(await received(engine)).toMatchObject({ arrivals: 1, commands: 1, inHand: 0 })
    const dead = await broker.dead()
    expect(dead.find(({ body }) => body === 'junk')!.headers).toMatchObject({ long })
    expect(dead[0]!.reason.length).toBeLessThan(500)
  })

  it('does not keep the others from being put back when it cannot be copied', async () => {
    await using broker = await openBroker()
    await using engine = await start(broker)
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, { contentType: 'application/json' })
    await broker.send('junk')
    await until('both to be set aside', async () => (await stateOf(engine)).dead === 2)
    const answer = await fetch(`${engine.url}/rabbitmq/requeue`, { method: 'POST' })
    expect(await answer.json()).toEqual({ Requeued: 1, Left: 1 })
    await until('one to be set aside again', async () => (await received(engine)).dead === 3)
  })

  it('is replaced where its queue would lose it, when it cannot be copied', async () => {
    await using broker = await openBroker()
    await broker.channel.queueDeclare({ queue: broker.settings.rabbitmqQueue, durable: true })
    await using engine = await start(broker)
    await until('the queue to be there', async () => (await stateOf(engine)).dead !== null)
    await broker.send(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, { contentType: 'application/json' })
    await until('it to be set aside', async () => (await stateOf(engine)).dead === 1)
    expect((await broker.dead())[0]!.reason).toMatch(/cannot be copied/)
  })

  it('waits for another place when the queue of the dead is gone, and is not lost', async () => {
    await using broker = await openBroker()
    await using engine = await start(broker)
    await until('both queues to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.channel.queueDelete({ queue: `${broker.settings.rabbitmqQueue}.dead` })
    await broker.send('junk')
    await until('it to be set aside', async () => (await stateOf(engine)).dead === 1)
    expect((await broker.dead())[0]!.body).toBe('junk')
  })

  it('are commands, each carried out once: settle, and run a callback', async () => {
    await using broker = await openBroker()
    const script = `export const onStableStudy = (study) => console.log('told')`
    await using engine = await start(broker, {}, { 'tell.ts': script })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    const { study: id } = idsOf()
    const settle = eventOf('onstable.command.settle', { level: 'study', id })
    const run = eventOf('onstable.command.run', { script: 'tell.ts', id })
    await broker.send(arrivalOf({ instance: '1' }))
    await broker.send(settle)
    const runs = async () => (await engine.read<unknown[]>('/runs')).length
    await until('it to settle and be told', async () => (await runs()) === 1)
    await broker.send(arrivalOf({ instance: '2' }))
    await broker.send(settle)
    await broker.send(run)
    await broker.send(run)
    await until('all of them', async () => (await received(engine)).repeated === 2)
    expect(await received(engine)).toMatchObject({ commands: 2, dead: 0 })
    await until('the second run', async () => (await runs()) === 2)
    expect(await stableOf(engine)).toEqual([id])
  })

  it('is in order: a command counts for all that was sent before it', async () => {
    await using broker = await openBroker()
    await using engine = await start(broker)
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    const count = 300
    for (let n = 0; n < count; n++) void broker.send(arrivalOf({ instance: String(n) }))
    await broker.send(eventOf('onstable.command.settle', { level: 'study', id: idsOf().study }))
    await until('it to settle', async () => (await stableOf(engine)).length === 1)
    const { Instances } = await engine.read<{ Instances: string[] }>(
      `/series/${idsOf({ instance: '0' }).series}`,
    )
    expect(Instances).toHaveLength(count)
    expect(await engine.read(`/studies/${idsOf().study}`)).toMatchObject({ IsStable: true })
  })

  it('gives way to the same instance with its bytes', async () => {
    await using broker = await openBroker()
    await using engine = await start(broker)
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(arrivalOf({}))
    await until('the instance', async () => (await received(engine)).arrivals === 1)
    const file = dicomFile()
    expect((await engine.post(file)).answer).toMatchObject({ Status: 'Success' })
    const answer = await fetch(`${engine.url}/instances/${idsOf().instance}/file`)
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(file)
    expect((await engine.post(file)).answer).toMatchObject({ Status: 'AlreadyStored' })
  })
})

describe.skipIf(!hasRabbitmq)('silence (needs RabbitMQ on 127.0.0.1:5672)', () => {
  it('counts only as far as the queue was followed: a broker that is away makes nothing stable', async () => {
    await using broker = await openBroker()
    await using line = await openLine()
    await using engine = await start(broker, { rabbitmq: line.url, stableAge: 1 })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(arrivalOf({ instance: '1' }))
    await until('the instance', async () => (await received(engine)).arrivals === 1)
    line.cut()
    await broker.send(arrivalOf({ instance: '2' }))
    await until('it to be held', async () => {
      const windows = await engine.read<{ isHeld: boolean }[]>('/windows')
      return windows.length === 3 && windows.every(({ isHeld }) => isHeld)
    })
    await wait(500)
    expect(await stableOf(engine)).toEqual([])
    line.mend()
    await until('it to be stable', async () => (await stableOf(engine)).length > 0)
    expect(await stableOf(engine)).toEqual([idsOf().study])
    expect(
      (await engine.read<{ Instances: string[] }>(`/series/${idsOf({ instance: '1' }).series}`)).Instances,
    ).toHaveLength(2)
  })

  it.each(['a command', 'a mark'])(
    'is not judged by %s that comes behind what could not be taken in',
    async (what) => {
      await using broker = await openBroker()
      await using line = await openLine()
      await using engine = await start(broker, {
        ...{ rabbitmq: line.url, orthancs: ['http://127.0.0.1:1'] },
        stableAge: what === 'a mark' ? 1 : 3_600,
      })
      await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
      await broker.send(arrivalOf({ instance: '1' }))
      await until('the instance', async () => (await received(engine)).arrivals === 1)
      await broker.send(idsOf({ instance: '2' }).instance)
      if (what === 'a command')
        await broker.send(eventOf('onstable.command.settle', { level: 'study', id: idsOf().study }))
      await wait(2_000)
      line.cut()
      await wait(300)
      line.mend()
      await wait(1_500)
      expect(await stableOf(engine)).toEqual([])
    },
  )

  it('of what came in another way needs no broker', async () => {
    await using broker = await openBroker()
    await using line = await openLine()
    await using engine = await start(broker, { rabbitmq: line.url, stableAge: 0.3 })
    line.cut()
    await engine.post(dicomFile())
    await until('it to be stable', async () => (await stableOf(engine)).length === 1)
  })

  it('waits for what an archive that is away was asked for', async () => {
    await using broker = await openBroker()
    await using archive = await startTestEngine()
    await archive.post(dicomFile({ instance: '2' }))
    // Named, and nobody answers there yet.
    await using engine = await start(broker, { stableAge: 1, orthancs: ['http://127.0.0.1:1'] })
    await until('the queue to be there', async () => (await stateOf(engine)).waiting !== null)
    await broker.send(arrivalOf({ instance: '1' }))
    await until('the instance', async () => (await received(engine)).arrivals === 1)
    await broker.send(idsOf({ instance: '2' }).instance)
    await until('it to be held', async () =>
      (await engine.read<{ isHeld: boolean }[]>('/windows')).some(({ isHeld }) => isHeld),
    )
    await wait(500)
    expect(await stableOf(engine)).toEqual([])
    expect(await received(engine)).toMatchObject({ inHand: expect.any(Number), dead: 0 })
  })
})

describe.skipIf(!hasRabbitmq)('a queue that is there already (needs RabbitMQ on 127.0.0.1:5672)', () => {
  it.each([
    ['a plain one', { durable: true }],
    ['one that goes with its last reader', { autoDelete: true }],
  ])('is read as it is: %s', async (_, kind) => {
    await using broker = await openBroker()
    await broker.channel.queueDeclare({ queue: broker.settings.rabbitmqQueue, ...kind })
    await broker.send(arrivalOf({ instance: '1' }))
    await broker.send('nonsense')
    await using engine = await start(broker, { stableAge: 0.3 })
    await until('the instance', async () => (await received(engine)).arrivals === 1)
    await until('the other', async () => (await received(engine)).dead === 1)
    expect((await broker.dead())[0]!.body).toBe('nonsense')
    await until('it to be stable', async () => (await stableOf(engine)).length === 1)
  })

  it('says so when another program reads it and lets nobody else', async () => {
    await using broker = await openBroker()
    const { rabbitmqQueue: queue } = broker.settings
    await broker.channel.queueDeclare({ queue, durable: true })
    await broker.channel.basicConsume({ queue, noAck: true }, () => {})
    await using engine = await start(broker)
    await until('the log to say it', () => engine.lines.some(({ msg }) => /Another program reads/.test(msg)))
    expect(await engine.read('/rabbitmq')).toMatchObject({ isReading: false, isConnected: true })
  })
})
