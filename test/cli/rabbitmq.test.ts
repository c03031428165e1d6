/** `onstable rabbitmq`, as a process, with a real RabbitMQ where one is found. */
import { describe, expect, it, test } from 'vitest'
import { onstable } from '../support/command-line.ts'
import { dicomFile } from '../support/dicom-files.ts'
import { hasRabbitmq, openBroker } from '../support/rabbitmq.ts'
import { startTestEngine, type TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const run = async (engine: TestEngine, ...parameters: string[]) => {
  const { code, output, errors } = await onstable(['rabbitmq', ...parameters, '--url', engine.url])
  return { code, lines: output.split('\n').slice(0, -1), errors }
}

describe.skipIf(!hasRabbitmq)('the command rabbitmq (needs RabbitMQ on 127.0.0.1:5672)', () => {
  it('says how far the bridge is, publishes once more, and puts back what was set aside', async () => {
    await using broker = await openBroker()
    const { rabbitmqExchange, rabbitmqQueue } = broker.settings
    await using engine = await startTestEngine({ settings: broker.settings })
    interface State {
      published: { behind: number; cursor: number } | null
      waiting: number | null
      dead: number | null
    }
    const state = () => engine.read<State>('/rabbitmq')
    await until('the relay to begin', async () => (await state()).published?.behind === 0)
    await until('the queue to be there', async () => (await state()).waiting !== null)
    await engine.post(dicomFile())
    await broker.send('junk')
    await until('all to be published', async () => (await state()).published?.cursor === 4)
    await until('it to be set aside', async () => (await state()).dead === 1)
    const status = await run(engine, 'status')
    expect(status.lines).toEqual([
      'RabbitMQ answers',
      `out: exchange ${rabbitmqExchange}, up to change 4 by this server, 0 to go`,
      expect.stringMatching(
        new RegExp(
          `^in: {2}queue ${rabbitmqQueue}, read by this server: 0 waiting; 1 set aside; 0 instances`,
        ),
      ),
    ])
    expect(JSON.parse((await run(engine, 'status', '--json')).lines[0]!)).toMatchObject({ dead: 1 })
    const reason = 'It is neither JSON nor the identifier of an instance'
    for (let look = 0; look < 2; look++) {
      expect((await run(engine, 'dead')).lines).toEqual([reason, '  4 bytes: junk'])
    }
    const [letter] = await engine.read<object[]>('/rabbitmq/dead?limit=1')
    expect(letter).toEqual({ reason, sizeBytes: 4, start: 'junk' })
    expect((await run(engine, 'requeue')).lines).toEqual(['1 message is back in the queue'])
    expect((await run(engine, 'replay', '--seq', '1')).lines).toEqual([
      '3 changes are published once more: after 1, up to 4',
    ])
    expect(await run(engine, 'replay', '--seq', 'yesterday')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('"seq": Expected a whole number'),
    })
  })
})

test('the command rabbitmq says what is to be done where no broker is set', async () => {
  await using engine = await startTestEngine()
  expect(await run(engine, 'status')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('start the server with "rabbitmq"'),
  })
})

test('the command rabbitmq says that a broker does not answer', async () => {
  await using engine = await startTestEngine({ settings: { rabbitmq: 'amqp://127.0.0.1:1' } })
  expect((await run(engine, 'status')).lines[0]).toBe('RabbitMQ does not answer')
  expect(await run(engine, 'requeue')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('RabbitMQ does not answer'),
  })
})
