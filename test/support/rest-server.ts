/** The REST interface on a real store, with the simplest upload that keeps files in a folder. */
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, type ApiParts, startApi } from '../../src/api/api.ts'
import { readSettings, type Settings } from '../../src/config.ts'
import { readHeader } from '../../src/dicom/dicom.ts'
import { openPauses } from '../../src/dispatch/dispatch.ts'
import { createLog } from '../../src/log.ts'
import { startNodes } from '../../src/nodes/nodes.ts'
import { createAges } from '../../src/stability/stability.ts'
import { openSqlite, type Store } from '../../src/store/store.ts'
import { dicomFile, type FileFacts } from './dicom-files.ts'
import { temporaryFolder } from './folders.ts'

export interface RestServer extends AsyncDisposable {
  readonly api: Api
  readonly store: Store
  readonly settings: Settings
  readonly url: string
  /** GET, parsed; the text if it is not JSON. */
  read(path: string): Promise<unknown>
  /** POST /instances of a made file. */
  send(facts: FileFacts): Promise<Record<string, string>>
}

/** @param given settings by name; the port is any free one */
export async function startRestServer(
  given: Record<string, unknown> = {},
  more: Partial<ApiParts> = {},
): Promise<RestServer> {
  const folder = temporaryFolder()
  const settings = readSettings({ httpPort: 0, stableAge: 0.05, ...given }, {}, null)
  const store = await openSqlite({ folder: folder.path })
  const ages = createAges(settings)
  let files = 0
  const upload: ApiParts['upload'] = async (body, _headers, origin) => {
    const header = readHeader(body)
    const file = `00/${++files}`
    mkdirSync(join(folder.path, '00'), { recursive: true })
    writeFileSync(join(folder.path, file), Buffer.concat(body))
    const { status } = await store.record({
      header,
      file,
      sizeBytes: Buffer.concat(body).length,
      content: null,
      origin,
      ages: ages.agesOf(header, origin),
      whenHeld: 'keep',
    })
    const { instance, patient, study, series } = header.ids
    return {
      status: 200,
      body: {
        ID: instance,
        ParentPatient: patient,
        ParentSeries: series,
        ParentStudy: study,
        Path: `/instances/${instance}`,
        Status: status,
      },
    }
  }
  const log = createLog('silent')
  const nothing = () => {}
  const nodes = await startNodes({
    ...{ store, log, node: 'one' },
    ...{ onLog: nothing, onState: nothing, onDraining: nothing },
  })
  const api = await startApi({
    nodes,
    bridge: null,
    settings,
    store,
    log,
    reach: () => {},
    upload,
    openFile: async (file) => createReadStream(join(folder.path, file)),
    remove: (level, id) => store.remove(level, id),
    settle: (level, id) => store.forceStable(level, id),
    unsettle: (level, id) => store.markUnstable(level, id, ages.ageOf(level)),
    scripts: () => [],
    unanswered: () => [],
    resumeScript: async () => null,
    forgetScript: async () => 'never-in-force',
    pauses: await openPauses(store, () => {}),
    drained: async () => {},
    onOwed: () => {},
    onOwnCommand: () => {},
    requestQuestion: {
      isAsked: () => false,
      ask: async () => ({ accepted: true, isAnswer: true, script: null }),
    },
    ...more,
  })
  const url = `http://${api.address.includes(':') ? `[${api.address}]` : api.address}:${api.port}`
  const close = async () => {
    await api.close()
    await store.close()
    folder[Symbol.dispose]()
  }
  return {
    api,
    store,
    settings,
    url,
    read: async (path) => parse(await (await fetch(url + path)).text()),
    send: async (facts) => {
      const response = await fetch(`${url}/instances`, {
        method: 'POST',
        body: new Uint8Array(dicomFile(facts)),
      })
      return (await response.json()) as Record<string, string>
    },
    [Symbol.asyncDispose]: close,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
