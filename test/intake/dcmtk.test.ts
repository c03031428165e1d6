/** The receiver and DCMTK's senders, where they are installed: what is kept of what they send, and what is refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { datasetOf, sha256 } from '../campaign/history.ts'
import { idsOf } from '../campaign/identifiers.ts'
import { readStorage } from '../campaign/observe-storage.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { metaOf, proposing, runDcmtk, statusesOf, storescu } from '../support/dcmtk.ts'
import { dicomDataset, dicomFile, type FileFacts, transferSyntaxes } from '../support/dicom-files.ts'
import { temporaryFolder } from '../support/folders.ts'
import { areInstalled } from '../support/installed.ts'
import { fileOf, read } from '../support/rest-client.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2'

describe.skipIf(!areInstalled('storescu', 'echoscu', 'dcmdump'))('DCMTK', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let server: TestServer
  let strict: TestServer

  beforeAll(async () => {
    folder = temporaryFolder()
    const environment = {
      ONSTABLE_CALLING_AETS: 'KNOWN,OTHER',
      ONSTABLE_CHECK_CALLED_AET: 'true',
      ONSTABLE_MAX_INSTANCE_MB: '0.1',
    }
    const starting = [startServer({ stableAge: 600 }), startServer({ stableAge: 600, environment })] as const
    ;[server, strict] = await Promise.all(starting)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await strict?.[Symbol.asyncDispose]()
    folder?.[Symbol.dispose]()
  })

  const made = (facts: FileFacts) => {
    const path = join(folder.path, `${idsOf(facts).Instance}.dcm`)
    writeFileSync(path, dicomFile(facts))
    return path
  }

  test('an echo is answered', async () => {
    const { code, output } = await runDcmtk('echoscu', '-v', '127.0.0.1', String(server.dicomPort))
    expect(output).toContain('Received Echo Response (Success)')
    expect(code).toBe(0)
  })

  test('datasets of all transfer syntaxes on one association are kept as they came', async () => {
    const names = Object.keys(transferSyntaxes) as (keyof typeof transferSyntaxes)[]
    const patient = 'SYNTAX'
    const all = names.map((transferSyntax) => ({ patient, instance: transferSyntax, transferSyntax }))
    const contexts = proposing(folder.path, ctImageStorage, Object.values(transferSyntaxes))
    const sent = await storescu({ port: server.dicomPort, calling: 'CT7' }, all.map(made), ...contexts)
    expect([...statusesOf(sent).values()]).toEqual(names.map(() => 'Success'))
    expect(sent.output.match(/Requesting Association/g)).toHaveLength(1)

    const keptPath = join(folder.path, 'kept.dcm')
    for (const facts of all) {
      const file = await fileOf(server.url, idsOf(facts).Instance)
      const kept = datasetOf(file)
      // DCMTK deflates by itself what it sends so.
      const plain = (bytes: Buffer) => (facts.transferSyntax === 'deflated' ? inflateRawSync(bytes) : bytes)
      expect(plain(kept)).toEqual(plain(dicomDataset(facts)))
      writeFileSync(keptPath, file)
      expect(await metaOf(keptPath)).toMatchObject({
        MediaStorageSOPClassUID: ctImageStorage,
        TransferSyntaxUID: transferSyntaxes[facts.transferSyntax],
        ImplementationVersionName: 'ONSTABLE',
        SourceApplicationEntityTitle: 'CT7',
      })
    }
  })

  test('of a context with several transfer syntaxes the one is taken that the sender need not compress for', async () => {
    const facts: FileFacts = { patient: 'CHOICE', transferSyntax: 'implicitLittleEndian' }
    const sent = await storescu({ port: server.dicomPort }, [made(facts)], '-xr', '+C')
    expect([...statusesOf(sent).values()]).toEqual(['Success'])
    const kept = datasetOf(await fileOf(server.url, idsOf(facts).Instance))
    expect(kept).toEqual(dicomDataset({ ...facts, transferSyntax: 'explicitLittleEndian' }))
  })

  test('what several associations send at the same time is kept whole', async () => {
    const same = { patient: 'MANY', pixelBytes: 60_000 }
    const associations = ['A', 'B', 'C', 'D'].map((series) =>
      ['1', '2', '3', '4', '5', '6'].map((instance) => ({ ...same, series, instance })),
    )
    const sent = await Promise.all(
      associations.map((all) => storescu({ port: server.dicomPort }, all.map(made))),
    )
    expect(sent.flatMap((each) => [...statusesOf(each).values()])).toEqual(Array(24).fill('Success'))
    for (const facts of associations.flat()) {
      const kept = datasetOf(await fileOf(server.url, idsOf(facts).Instance))
      expect(sha256(kept)).toBe(sha256(dicomDataset(facts)))
    }
  })

  test('a sender with an AE title that is not configured is refused, and so is one that calls another', async () => {
    const before = await countOf(strict)
    const path = made({ patient: 'REFUSED' })
    const send = (calling: string, called: string) =>
      storescu({ port: strict.dicomPort, calling, called }, [path])
    const unknown = await send('UNKNOWN', 'ONSTABLE')
    expect(unknown.output).toContain('Reason: Calling AE Title Not Recognized')
    const astray = await send('KNOWN', 'ELSEWHERE')
    expect(astray.output).toContain('Reason: Called AE Title Not Recognized')
    expect([unknown.code, astray.code]).toEqual([1, 1])
    expect(await countOf(strict)).toEqual(before)

    expect([...statusesOf(await send('OTHER', 'ONSTABLE')).values()]).toEqual(['Success'])
    expect(await countOf(strict)).toEqual({ rows: before.rows + 1, files: before.files + 1 })
  })

  test('an instance that is too large is refused as such and leaves nothing, and the next one is taken', async () => {
    const before = await countOf(strict)
    const paths = [50_000, 200_000, 60_000].map((pixelBytes) =>
      made({ patient: 'LARGE', instance: String(pixelBytes), pixelBytes }),
    )
    const sent = await storescu({ port: strict.dicomPort, calling: 'KNOWN' }, paths)
    expect([...statusesOf(sent).values()]).toEqual(['Success', 'Refused: OutOfResources', 'Success'])
    expect(await countOf(strict)).toEqual({ rows: before.rows + 2, files: before.files + 2 })
  })

  test('a connection that is cut in the middle of a dataset leaves neither a file nor a row', async () => {
    const before = await countOf(server)
    const path = made({ patient: 'CUT', pixelBytes: 1_000_000 })
    await using proxy = await startCuttingProxy(server.dicomPort, 500_000)
    const cut = await storescu({ port: proxy.port }, [path])
    expect(proxy.cuts()).toBe(1)
    expect(statusesOf(cut).size).toBe(0)
    expect(cut.code).not.toBe(0)

    const after = await storescu({ port: server.dicomPort }, [made({ patient: 'AFTER' })])
    expect([...statusesOf(after).values()]).toEqual(['Success'])
    expect(await countOf(server)).toEqual({ rows: before.rows + 1, files: before.files + 1 })
    // What was cut off is taken when it is sent again.
    expect([...statusesOf(await storescu({ port: server.dicomPort }, [path])).values()]).toEqual(['Success'])
  })
})

async function countOf(server: TestServer): Promise<{ rows: number; files: number }> {
  const { CountInstances } = await read<{ CountInstances: number }>(`${server.url}/statistics`)
  return { rows: CountInstances, files: readStorage(server.data).length }
}
