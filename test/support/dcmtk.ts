/** DCMTK's programs as senders and receivers on the loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface Ended {
  readonly code: number | null
  /** All that it wrote. */
  readonly output: string
}

// Nagle's algorithm would cost 40 ms and more for each message.
const environment = { PATH: process.env.PATH, TCP_NODELAY: '1' }

/** Runs a program to its end. */
export async function runDcmtk(program: string, ...parameters: readonly string[]): Promise<Ended> {
  const child = spawn(program, parameters, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: output() }
}

/** Where files are sent to. */
export interface Peer {
  readonly port: number
  readonly called?: string
  readonly calling?: string
}

/** Sends files on one association, and goes on after a failure. `more` are further options. */
export function storescu(peer: Peer, files: readonly string[], ...more: readonly string[]): Promise<Ended> {
  const titles = ['-aet', peer.calling ?? 'STORESCU', '-aec', peer.called ?? 'ONSTABLE']
  return runDcmtk('storescu', '-v', '-nh', ...titles, ...more, '127.0.0.1', String(peer.port), ...files)
}

/** By file, the status that it was answered with, in words; nothing for those that were not sent. */
export function statusesOf({ output }: Ended): Map<string, string> {
  const answered = /Sending file: (.*)\n(?:(?!.*Sending file).*\n)*?.*Received Store Response \((.*)\)/g
  return new Map([...output.matchAll(answered)].map(([, file, status]) => [file!, status!]))
}

/** Options that propose exactly these transfer syntaxes, each in a context of its own. */
export function proposing(
  folder: string,
  sopClassUid: string,
  transferSyntaxUids: readonly string[],
): string[] {
  const file = join(folder, 'contexts.cfg')
  const lists = transferSyntaxUids.map((uid, place) => `[Syntax${place}]\nTransferSyntax1 = ${uid}\n`)
  const contexts = transferSyntaxUids.map(
    (_, place) => `PresentationContext${place + 1} = ${sopClassUid}\\Syntax${place}\n`,
  )
  writeFileSync(
    file,
    `[[TransferSyntaxes]]\n${lists.join('')}[[PresentationContexts]]\n[Contexts]\n${contexts.join('')}` +
      '[[Profiles]]\n[Test]\nPresentationContexts = Contexts\n',
  )
  return ['-xf', file, 'Test']
}

/** The meta information of a file as DCMTK reads it, by keyword. */
export async function metaOf(path: string): Promise<Record<string, string>> {
  const { code, output } = await runDcmtk('dcmdump', '-Un', '+fo', path)
  if (code !== 0) throw new Error(`dcmdump does not take ${path} for a DICOM file: ${output}`)
  const elements = output.matchAll(/^\(0002,\S+ \S+ [=[]?(.*?)\]? +# +\d+, \d+ (\w+)$/gm)
  return Object.fromEntries([...elements].map(([, value, keyword]) => [keyword, value]))
}

export interface Storescp extends AsyncDisposable {
  readonly port: number
  /** The files that came, by their names: the modality, a dot, the SOP instance UID. */
  files(): Map<string, Buffer>
}

/** Of all transfer syntaxes, each dataset as it came. */
const takingAll = ['+B', '+xa']

/** Receives into a folder of its own. */
export async function startStorescp(
  options: { readonly port?: number; readonly parameters?: readonly string[] } = {},
): Promise<Storescp> {
  const folder = mkdtempSync(join(tmpdir(), 'onstable-storescp-'))
  const port = options.port ?? (await freePort())
  const parameters = [...(options.parameters ?? takingAll), '-od', folder, String(port)]
  const child = spawn('storescp', parameters, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  await until('storescp to listen', async () => {
    if (isOver()) throw new Error(`storescp ended at its start: ${output()}`)
    return await answers(port)
  })
  return {
    port,
    files: () => new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])),
    async [Symbol.asyncDispose]() {
      if (!isOver()) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function collect(child: ChildProcess): () => string {
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return () => output
}
