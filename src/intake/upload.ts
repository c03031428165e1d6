/** What `POST /instances` takes: a DICOM file, a ZIP archive, a form of several, each also under gzip. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readHeader } from '../dicom/dicom.ts'
import { fault, isSystemError, OnStableError } from '../errors.ts'
import type { Origin } from '../store/store.ts'
import { filesOfForm, isForm } from './form.ts'
import type { Intake, Received } from './intake.ts'
import { isEmptyZip, isZip, signatureBytes, unzip } from './zip.ts'

/** As Orthanc answers for one instance. */
export interface InstanceAnswer {
  readonly ID: string
  readonly ParentPatient: string
  readonly ParentStudy: string
  readonly ParentSeries: string
  readonly Path: string
  readonly Status: Received['status']
}

export interface UploadAnswer {
  readonly status: number
  /** One answer for a file, several for an archive, and an empty text for a form. */
  readonly body: InstanceAnswer | readonly InstanceAnswer[] | ''
}

/** @param largestBytes what an instance may have, and a body once it is inflated */
export function createUpload(receive: Intake['receive'], largestBytes: number): Intake['upload'] {
  return async (body, headers, origin) => {
    const content = await inflated(body, headers['content-encoding'], largestBytes)
    if (!isForm(headers['content-type'])) return { status: 200, body: await takeIn(content, origin) }
    const form = Buffer.concat(content)
    for (const file of await filesOfForm(form, headers['content-type'])) await takeIn([file], origin)
    return { status: 200, body: '' }
  }

  async function takeIn(content: readonly Buffer[], origin: Origin): Promise<UploadAnswer['body']> {
    const signature = signatureOf(content)
    if (isZip(signature)) return takeInZip(Buffer.concat(content), origin)
    if (isEmptyZip(signature)) throw fault('bad-dicom-file', 'The ZIP archive is empty')
    return answerOf(await receive(content, readHeader(content), origin))
  }

  /** Members that are no DICOM instances, such as a DICOMDIR, are passed over. */
  async function takeInZip(content: Buffer, origin: Origin): Promise<InstanceAnswer[]> {
    const answers: InstanceAnswer[] = []
    for await (const member of unzip(content, largestBytes)) {
      const header = headerOrNull(member)
      if (header !== null) answers.push(answerOf(await receive(member, header, origin)))
    }
    return answers
  }
}

/** The bytes at the start that tell what a body is. */
function signatureOf([first = Buffer.alloc(0), ...others]: readonly Buffer[]): Buffer {
  return first.length >= signatureBytes ? first : Buffer.concat([first, ...others.slice(0, signatureBytes)])
}

function headerOrNull(member: readonly Uint8Array[]) {
  try {
    return readHeader(member)
  } catch (thrown) {
    if (thrown instanceof OnStableError) return null
    throw thrown
  }
}

function answerOf({ status, header: { ids } }: Received): InstanceAnswer {
  return {
    ID: ids.instance,
    ParentPatient: ids.patient,
    ParentSeries: ids.series,
    ParentStudy: ids.study,
    Path: `/instances/${ids.instance}`,
    Status: status,
  }
}

async function inflated(
  body: readonly Buffer[],
  encoding: string | undefined,
  largestBytes: number,
): Promise<readonly Buffer[]> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return body
  if (name !== 'gzip' && name !== 'x-gzip') {
    throw fault(
      'bad-request',
      `Content-Encoding "${encoding}" is not supported: send "gzip", or the file as it is`,
    )
  }
  try {
    return [await promisify(gunzip)(Buffer.concat(body), { maxOutputLength: largestBytes })]
  } catch (cause) {
    if (isSystemError(cause, 'ERR_BUFFER_TOO_LARGE')) {
      throw fault('too-large', `The body has more than ${largestBytes} bytes once it is inflated`, { cause })
    }
    throw fault('bad-dicom-file', 'The body is not the gzip that its Content-Encoding promises', { cause })
  }
}
