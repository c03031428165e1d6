/** A RabbitMQ of its own that lacks memory, where one is installed. */
import { describe, expect, it } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { isRabbitmqInstalled, startOwnRabbitmq } from '../support/own-rabbitmq.ts'
import { openBroker } from '../support/rabbitmq.ts'
import { startTestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

interface State {
  isConnected: boolean
  isBlocked: boolean
  published: { behind: number } | null
}

describe.skipIf(!isRabbitmqInstalled())(
  'a broker that takes nothing for now (needs RabbitMQ installed)',
  () => {
    it('holds up neither what comes in another way, nor a stop', async () => {
      await using rabbitmq = await startOwnRabbitmq()
      let stoppedAt: number
      {
        await using broker = await openBroker(rabbitmq.url)
        await using engine = await startTestEngine({ settings: { ...broker.settings, stableAge: 0.3 } })
        const state = () => engine.read<State>('/rabbitmq')
        await until('the relay to begin', async () => (await state()).published?.behind === 0)
        await broker.send('junk')
        rabbitmq.control('set_vm_memory_high_watermark', 'absolute', '1MB')
        await until('it to be blocked', async () => {
          await engine.post(dicomFile({ instance: String(Math.random()) }))
          return (await state()).isBlocked
        })
        expect(await state()).toMatchObject({ isConnected: true })
        const answer = await fetch(`${engine.url}/rabbitmq/requeue`, { method: 'POST' })
        expect(answer.status).toBe(503)
        stoppedAt = performance.now()
        await engine[Symbol.asyncDispose]()
        // A broker that reads nothing would never let it go.
        expect(performance.now() - stoppedAt).toBeLessThan(15_000)
        rabbitmq.control('set_vm_memory_high_watermark', '0.4')
      }
    })
  },
)
