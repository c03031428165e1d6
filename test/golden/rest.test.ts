/**
 * Requests and answers recorded from Orthanc, asked again here. Times, names of files, sizes in the answer of
 * `/system` and the order of lists may differ; everything else has to be the same.
 */
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { comparable, firstDifference } from '../support/comparable.ts'
import { startRestServer } from '../support/rest-server.ts'
import { root } from '../support/source-files.ts'

const folder = join(root, '../shared/golden')
const isThere = existsSync(join(folder, 'transcripts.jsonl'))

interface Recorded {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly bodyFile?: string
    readonly bodyHex?: string
  }
  readonly status: number
  readonly contentType: string | null
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly text?: string
}

const transcripts: readonly Recorded[] = isThere
  ? readFileSync(join(folder, 'transcripts.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Recorded)
  : []

const levels = '(patients|studies|series|instances)'
/** What the interface has so far. */
const covered = [
  new RegExp(`^/${levels}/?(\\?.*)?$`),
  new RegExp(`^/${levels}/[^/]+$`),
  new RegExp(`^/${levels}/[^/]+/(patient|study|series|patients|studies|instances|statistics|nope)$`),
  /^\/instances\/[^/]+\/file$/,
  /^\/(changes|system|statistics|nope)(\?.*)?$/,
]

/** Asked, but not compared whole: the reason stands beside. */
const leftOut: readonly RegExp[] = [
  // The name and version of another product.
  /^empty_system$|^err-hosts$/,
  // `expand=false` means false since Orthanc 1.12.5.
  /expandfalse$/,
  // Forms and archives are read by the intake.
  /^post-zip$|^post-multipart$/,
  // Changes that only come from metadata and attachments, and the numbers after them.
  /^changes-after-metadata$|^changes-last-before-delete$|^changes-last2$|^changes-after-attachment$/,
  // Orthanc forgets the changes of what is deleted; here the log is kept.
  /^changes-after-(delete|reupload)|^changes-empty-again$|^changes-last-after-delete$|^changes-seq-continues$/,
]

test.skipIf(!isThere)('what was recorded from Orthanc is answered alike', { timeout: 120_000 }, async () => {
  await using server = await startRestServer({ stableAge: 3600 })
  const differences: string[] = []
  let compared = 0
  for (const recorded of transcripts) {
    const { method, path } = recorded.request
    if (
      !covered.some((pattern) => pattern.test(path)) ||
      leftOut.some((pattern) => pattern.test(recorded.name))
    )
      continue
    if (/^changes-after-stable$|^after-reupload-stable-study$/.test(recorded.name))
      await settleAll(server.url)
    const answer = await ask(server.api.port, recorded)
    const isOdd = difference(recorded, answer)
    if (isOdd !== null) differences.push(`${recorded.name}: ${method} ${path}: ${isOdd}`)
    compared++
  }
  expect(differences).toEqual([])
  expect(compared).toBeGreaterThan(200)
})

interface Answer {
  readonly status: number
  readonly contentType: string | null
  readonly allow: string | null
  readonly text: string
}

function ask(port: number, { request: { method, path, headers, ...more } }: Recorded): Promise<Answer> {
  const body = more.bodyFile
    ? readFileSync(join(folder, more.bodyFile))
    : Buffer.from(more.bodyHex ?? more.body ?? '', more.bodyHex === undefined ? 'utf8' : 'hex')
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, method, path, headers: { ...headers, 'content-length': body.length } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? null,
            allow: response.headers.allow ?? null,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** What is not alike; null: nothing. */
function difference(recorded: Recorded, answer: Answer): string | null {
  if (answer.status !== recorded.status) return `status ${answer.status}, not ${recorded.status}`
  // Orthanc 1.10.1 gives its errors no content type.
  if (recorded.contentType !== null && answer.contentType !== recorded.contentType)
    return `type ${answer.contentType}`
  if (recorded.headers?.allow !== undefined && answer.allow !== recorded.headers.allow)
    return `allow ${answer.allow}`
  if (recorded.text !== undefined && answer.text !== recorded.text) return `text ${answer.text.slice(0, 200)}`
  if (recorded.body === undefined) return null
  const [ours, theirs] = [comparable(JSON.parse(answer.text)), comparable(recorded.body)]
  return firstDifference(ours, theirs, 'body')
}

/** Lets every patient become stable, as time did when the answers were recorded. */
async function settleAll(url: string): Promise<void> {
  const settle = (path: string) => fetch(`${url}${path}/settle`, { method: 'POST' })
  const studies = (await (await fetch(`${url}/studies?expand`)).json()) as {
    ID: string
    ParentPatient: string
  }[]
  for (const [place, { ID, ParentPatient }] of studies.entries()) {
    await settle(`/studies/${ID}`)
    // A patient comes after the last of its studies, as it does when time passes.
    const isLast = studies.slice(place + 1).every((later) => later.ParentPatient !== ParentPatient)
    if (isLast) await settle(`/patients/${ParentPatient}`)
  }
}
