/** Requests to a server under test, ours or Orthanc. */

/** GET, parsed. */
export async function read<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok)
    throw new Error(`GET ${url} was answered with ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

export interface UploadAnswer {
  readonly status: number
  /** `ID`, `Path` and `Status` of an instance, or the properties of an error. */
  readonly body: Readonly<Record<string, unknown>>
}

/** POST /instances of one file. */
export async function upload(url: string, file: Buffer): Promise<UploadAnswer> {
  const response = await fetch(`${url}/instances`, { method: 'POST', body: new Uint8Array(file) })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** The stored file of an instance. */
export async function fileOf(url: string, instance: string): Promise<Buffer> {
  const response = await fetch(`${url}/instances/${instance}/file`)
  if (!response.ok) throw new Error(`The file of ${instance} was answered with ${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}
