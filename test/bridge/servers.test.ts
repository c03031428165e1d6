/** Several servers on one database with one RabbitMQ, where both are found. */
import { setTimeout as wait } from 'node:timers/promises'
import type { AsyncMessage } from 'rabbitmq-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idsOf } from '../campaign/identifiers.ts'
import { dicomFile, uidsOf } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { addressOf, dropSchema, freshSchema, hasPostgres } from '../support/postgres.ts'
import { type Broker, hasRabbitmq, openBroker } from '../support/rabbitmq.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface State {
  received: { arrivals: number; repeated: number }
  published: { behind: number; node: string | null; cursor: number } | null
}

describe.skipIf(!hasPostgres || !hasRabbitmq)(
  'several servers with a broker (needs PostgreSQL and RabbitMQ)',
  () => {
    const schema = freshSchema()
    const folder = temporaryFolder()
    let broker: Broker
    let heard: readonly AsyncMessage[]
    const start = (node: string) =>
      startTestEngine({
        data: folder.path,
        settings: { ...broker.settings, store: addressOf(schema), node, stableAge: 1 },
      })
    const stateOf = (engine: TestEngine) => engine.read<State>('/rabbitmq')
    const named = (study: string, instance: string) => {
      const facts = { study, instance }
      const { study: StudyInstanceUID, series, instance: SOPInstanceUID } = uidsOf(facts)
      const uids = { PatientID: 'P1', StudyInstanceUID, SeriesInstanceUID: series, SOPInstanceUID }
      return { uids, id: idsOf(facts).Instance }
    }
    const announce = (study: string, instance: string) => broker.send({ dicom: named(study, instance).uids })

    beforeAll(async () => {
      broker = await openBroker()
      heard = await broker.listen()
    })
    afterAll(async () => {
      await broker[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
      await dropSchema(schema)
    })

    it('publish each change in order, and read the queue one after the other, whoever ends', async () => {
      await using one = await start('one')
      await until('the relay to begin', async () => (await stateOf(one)).published?.node)
      let lost: TestEngine | null = await start('two')
      let three: TestEngine | null = null
      const all = 120
      for (let n = 0; n < all; n++) {
        await announce(`S${n % 5}`, String(n))
        const to = n % 2 === 0 || lost === null ? one : lost
        await to.post(dicomFile({ study: `H${n % 5}`, instance: String(n) }))
        if (n === 40) three = await start('three')
        if (n !== 80) continue
        await lost?.[Symbol.asyncDispose]()
        lost = null
      }
      await until('all to be stable', async () => {
        const { Changes } = await one.read<{ Changes: unknown[] }>('/changes?limit=1000&type=StablePatient')
        return Changes.length === 1
      })
      const { CountInstances } = await one.read<{ CountInstances: number }>('/statistics')
      expect(CountInstances).toBe(2 * all)
      const { Last } = await one.read<{ Last: number }>('/changes?last&limit=1')
      await until('all to be published', async () => (await stateOf(one)).published?.cursor === Last)
      const seqs = heard.map(({ body }) => (JSON.parse(String(body)) as { data: { Seq: number } }).data.Seq)
      expect([...new Set(seqs)]).toEqual(Array.from({ length: Last }, (_, n) => n + 1))
      await three?.[Symbol.asyncDispose]()
    })

    it('know that one of them has something in hand, though the queue is not theirs', async () => {
      await using other = await openBroker()
      const { rabbitmqQueue: queue } = other.settings
      await other.channel.queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': 'quorum' } })
      const own = freshSchema()
      const begin = (node: string) =>
        startTestEngine({
          settings: {
            ...{ ...other.settings, store: addressOf(own), node, stableAge: 1 },
            orthancs: ['http://127.0.0.1:1'],
          },
        })
      {
        await using one = await begin('one')
        await using two = await begin('two')
        const arrivals = async () =>
          (await stateOf(one)).received.arrivals + (await stateOf(two)).received.arrivals
        const { uids, id } = named('F', '2')
        await other.send({ dicom: { ...uids, SOPInstanceUID: named('F', '1').uids.SOPInstanceUID } })
        await until('the instance', async () => (await arrivals()) === 1)
        await other.send(id)
        await until('it to be held', async () => {
          const windows = await one.read<{ isHeld: boolean }[]>('/windows')
          return windows.length === 3 && windows.every(({ isHeld }) => isHeld)
        })
        await wait(1_500)
        expect(await one.read<unknown[]>('/windows')).toHaveLength(3)
      }
      await dropSchema(own)
    })
  },
)
