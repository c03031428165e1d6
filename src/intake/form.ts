/** Forms as browsers and `curl -F` send them. */
import { fault } from '../errors.ts'

export function isForm(contentType: string | undefined): contentType is string {
  return /^\s*multipart\/form-data\s*;/i.test(contentType ?? '')
}

/**
 * The files of a form, in order. Fields that are no files are passed over.
 * @throws `bad-request` if it is no form, or has no file
 */
export async function filesOfForm(body: Buffer, contentType: string): Promise<Buffer[]> {
  let form: FormData
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
  } catch (cause) {
    throw fault('bad-request', 'The body is not the multipart form that its Content-Type promises', { cause })
  }
  const files = [...form.values()].filter((value) => typeof value !== 'string')
  if (files.length === 0) {
    throw fault('bad-request', 'The form has no file: send one, such as "curl -F file=@image.dcm" does')
  }
  return Promise.all(files.map(async (file) => Buffer.from(await file.arrayBuffer())))
}
