/** An Orthanc announces by a Lua script, as many do, where Orthanc and RabbitMQ are installed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dicomFile } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { freePort } from '../support/free-port.ts'
import { areInstalled } from '../support/installed.ts'
import { isRabbitmqInstalled, startOwnRabbitmq } from '../support/own-rabbitmq.ts'
import { openBroker } from '../support/rabbitmq.ts'
import { startTestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const program = '/usr/sbin/Orthanc'
const areBoth = isRabbitmqInstalled() && areInstalled(program)

/** The script of docs/rabbitmq.md. */
const script = (management: string, queue: string) => `
function OnStoredInstance(instanceId)
  local message = { routing_key = '${queue}', payload = instanceId, payload_encoding = 'string',
    properties = { delivery_mode = 2 } }
  HttpPost('${management}/api/exchanges/%2F/amq.default/publish', DumpJson(message),
    { ['Content-Type'] = 'application/json' })
end
`

async function startOrthanc(folder: string, lua: string) {
  const [httpPort, dicomPort] = [await freePort(), await freePort()]
  const settings = join(folder, 'orthanc.json')
  writeFileSync(join(folder, 'announce.lua'), lua)
  writeFileSync(
    settings,
    JSON.stringify({
      ...{ HttpPort: httpPort, DicomPort: dicomPort, StorageDirectory: join(folder, 'storage') },
      ...{ IndexDirectory: join(folder, 'storage'), RemoteAccessAllowed: false, Plugins: [] },
      RegisteredUsers: { alice: 'secret-of-alice' },
      ...{ AuthenticationEnabled: true, LuaScripts: [join(folder, 'announce.lua')] },
    }),
  )
  const child = spawn(program, [settings], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${httpPort}`
  const headers = { authorization: `Basic ${Buffer.from('alice:secret-of-alice').toString('base64')}` }
  await until(
    'Orthanc to answer',
    async () => (await fetch(`${url}/system`, { headers }).catch(() => null))?.ok,
  )
  return {
    url: `http://alice:secret-of-alice@127.0.0.1:${httpPort}`,
    post: (body: Buffer) =>
      fetch(`${url}/instances`, { method: 'POST', headers, body: new Uint8Array(body) }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

describe.skipIf(!areBoth)('an Orthanc that announces (needs Orthanc and RabbitMQ installed)', () => {
  it('has its studies told when they are stable, once for both of two', async () => {
    using folder = temporaryFolder()
    using second = temporaryFolder()
    await using rabbitmq = await startOwnRabbitmq(true)
    await using broker = await openBroker(rabbitmq.url)
    const lua = script(rabbitmq.managementUrl!, broker.settings.rabbitmqQueue)
    await using one = await startOrthanc(folder.path, lua)
    await using two = await startOrthanc(second.path, lua)
    await using engine = await startTestEngine({
      settings: { ...broker.settings, orthancs: [one.url, two.url], stableAge: 1 },
      scripts: { 'tell.ts': 'export const onStableStudy = (study) => console.log(study.counts.instances)' },
    })
    await until(
      'the queue to be read',
      async () => (await engine.read<{ waiting: number | null }>('/rabbitmq')).waiting === 0,
    )
    for (let n = 0; n < 6; n++)
      await (n % 2 === 0 ? one : two).post(dicomFile({ instance: String(n), place: n }))
    const [run] = await until('the run', async () => {
      const runs = await engine.read<{ logs: { text: string }[] }[]>('/runs')
      return runs.length > 0 && runs
    })
    expect(run!.logs.map(({ text }) => text)).toEqual(['6'])
    expect(await engine.read('/rabbitmq')).toMatchObject({ received: { arrivals: 6, dead: 0 } })
    expect(JSON.stringify(engine.lines)).not.toContain('secret-of-alice')
  })
})
