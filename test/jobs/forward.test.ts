/** A script forwards each stable study to DCMTK's receiver, where that is installed: whole, late, or not at all. */
import { expect, test } from 'vitest'
import { untilIdle, untilScriptsServe } from '../campaign/client.ts'
import { datasetOf, sha256 } from '../campaign/history.ts'
import { type Storescp, startStorescp } from '../support/dcmtk.ts'
import { dicomDataset, dicomFile, type FileFacts, uidsOf } from '../support/dicom-files.ts'
import { freePort } from '../support/free-port.ts'
import { areInstalled, isThere } from '../support/installed.ts'
import { realFiles, realFilesFolder } from '../support/real-files.ts'
import { fileOf, read, upload } from '../support/rest-client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const hasStorescp = areInstalled('storescp')
const hasFiles = isThere(realFilesFolder)

/** A server whose scripts `PACS1.js`, `PACS2.js` … each forward to the modality of their name. */
async function startForwarding(ports: Record<string, number>, attempts: number): Promise<TestServer> {
  await using started = new AsyncDisposableStack()
  const names = Object.keys(ports)
  const options = {
    scripts: Object.fromEntries(names.map((name) => [`${name}.js`, forwardText(name, attempts)])),
    environment: {
      ONSTABLE_MODALITIES: JSON.stringify(
        Object.fromEntries(names.map((aet) => [aet, { aet, host: '127.0.0.1', port: ports[aet] }])),
      ),
      ONSTABLE_GRANTS: JSON.stringify(
        Object.fromEntries(names.map((name) => [`${name}.js`, { send: [name] }])),
      ),
    },
  }
  const server = started.use(await startServer(options))
  await untilScriptsServe(server, Object.keys(options.scripts))
  started.move()
  return server
}

const forwardText = (modality: string, attempts: number) => `
export const script = {
  needs: { send: ['${modality}'] },
  retry: { attempts: ${attempts}, backoff: 'fixed', delay: '100ms' },
}
export async function onStableStudy(study, host) {
  await host.send(study, '${modality}')
}
`

interface Run {
  readonly script: string
  readonly outcome: string
  readonly reason: { readonly message: string } | null
}
const runsOf = (server: TestServer) => read<Run[]>(`${server.url}/runs`)

/** Of a dataset as it goes over the network: only one that is deflated can be odd, and is padded then. */
function digestOf(dataset: Buffer): string {
  return sha256(dataset.length % 2 === 0 ? dataset : Buffer.concat([dataset, Buffer.alloc(1)]))
}

/** SOP instance UIDs and digests of datasets. */
function received(storescp: Storescp): Record<string, string> {
  const files = [...storescp.files()]
  return Object.fromEntries(
    files.map(([name, file]) => [name.replace(/^\w+\./, ''), digestOf(datasetOf(file))]),
  )
}

function sent(all: readonly FileFacts[]): Record<string, string> {
  return Object.fromEntries(all.map((facts) => [uidsOf(facts).instance, digestOf(dicomDataset(facts))]))
}

test.skipIf(!hasStorescp)(
  'a stable study arrives whole, in all its series and transfer syntaxes, byte for byte',
  async () => {
    await using storescp = await startStorescp()
    await using server = await startForwarding({ PACS1: storescp.port }, 1)
    const study: FileFacts[] = [
      { series: 'A', instance: '1' },
      { series: 'A', instance: '2', transferSyntax: 'implicitLittleEndian' },
      { series: 'A', instance: '3', transferSyntax: 'explicitBigEndian', pixelBytes: 300_000 },
      { series: 'B', instance: '4', transferSyntax: 'jpegBaseline', modality: 'MR' },
      { series: 'B', instance: '5', transferSyntax: 'rle', modality: 'MR' },
      { series: 'B', instance: '6', transferSyntax: 'deflated', modality: 'MR' },
    ]
    const other: FileFacts = { patient: 'P2', study: 'S2', instance: '7' }
    for (const facts of [...study, other]) await upload(server.url, dicomFile(facts))
    await untilIdle(server)
    expect(received(storescp)).toEqual(sent([...study, other]))
    expect((await runsOf(server)).filter(({ outcome }) => outcome !== 'ok')).toEqual([])
  },
)

test.skipIf(!hasStorescp)('a study for a receiver that is down is sent again until it arrives', async () => {
  const port = await freePort()
  await using server = await startForwarding({ PACS1: port }, 100)
  const study: FileFacts[] = [{ instance: '1' }, { instance: '2', transferSyntax: 'implicitLittleEndian' }]
  for (const facts of study) await upload(server.url, dicomFile(facts))
  const failed = await until('a run to fail', async () => (await runsOf(server)).at(-1))
  expect(failed).toMatchObject({ outcome: 'threw' })
  expect(failed.reason?.message).toMatch(/^Cannot send to "PACS1": .*ECONNREFUSED/)
  await using storescp = await startStorescp({ port })
  await untilIdle(server)
  expect(received(storescp)).toEqual(sent(study))
  expect((await runsOf(server)).map(({ outcome }) => outcome)).toContain('ok')
})

test.skipIf(!hasStorescp)(
  'a receiver that refuses ends the run with an error that says what it refused',
  async () => {
    await using refusing = await startStorescp({ parameters: ['--refuse'] })
    await using plain = await startStorescp({ parameters: ['+B'] })
    await using aborting = await startStorescp({ parameters: ['+xa', '--abort-after'] })
    const ports = { REFUSING: refusing.port, PLAIN: plain.port, ABORTING: aborting.port }
    await using server = await startForwarding(ports, 1)
    await upload(server.url, dicomFile({ transferSyntax: 'jpegBaseline' }))
    await untilIdle(server)

    const runs = await runsOf(server)
    const endOf = (script: string) => {
      const { outcome, reason } = runs.find((run) => run.script === script)!
      return `${outcome}: ${reason?.message}`
    }
    expect(runs).toHaveLength(3)
    expect(endOf('REFUSING.js')).toMatch(
      /^threw: Cannot send to "REFUSING": the association was rejected .*AE titles/,
    )
    expect(endOf('PLAIN.js')).toMatch(
      /^threw: Cannot send to "PLAIN": instance \S+ is not accepted: .* in transfer syntax 1\.2\.840\.10008\.1\.2\.4\.50$/,
    )
    expect(endOf('ABORTING.js')).toMatch(
      /^threw: Cannot send to "ABORTING": the receiver aborted the association$/,
    )
    expect([refusing, plain].map((storescp) => storescp.files().size)).toEqual([0, 0])
  },
)

test.skipIf(!hasStorescp || !hasFiles)('real studies arrive whole', async () => {
  await using storescp = await startStorescp()
  await using server = await startForwarding({ PACS1: storescp.port }, 1)
  for (const { bytes } of realFiles()) await upload(server.url, bytes)
  await untilIdle(server)
  const stored: Record<string, string> = {}
  type Instance = { readonly ID: string; readonly MainDicomTags: { readonly SOPInstanceUID: string } }
  for (const { ID, MainDicomTags } of await read<Instance[]>(`${server.url}/instances?expand`)) {
    const file = await fileOf(server.url, ID)
    const hasMeta = file.toString('latin1', 128, 132) === 'DICM'
    stored[MainDicomTags.SOPInstanceUID] = digestOf(hasMeta ? datasetOf(file) : file)
  }
  expect(received(storescp)).toEqual(stored)
  expect((await runsOf(server)).filter(({ outcome }) => outcome !== 'ok')).toEqual([])
})
