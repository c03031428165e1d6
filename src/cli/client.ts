/** Talks to a server over its REST interface. */
import { z } from 'zod'
import { fault, messageOf } from '../errors.ts'

export interface RestClient {
  /** @throws `http-failed` if there is no answer or it is no success; the same for the others */
  get(path: string): Promise<unknown>
  post(path: string): Promise<unknown>
  delete(path: string): Promise<unknown>
  /** Text as it comes, until the server or the signal ends it. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<string>>
  /** Sends a body as it is read. */
  upload(path: string, body: ReadableStream<Uint8Array>): Promise<UploadAnswer>
}

/** How an upload ended; a refusal is an answer, too. */
export type UploadAnswer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly reason: string }

const errorAnswer = z.object({ Details: z.string().optional(), Message: z.string() })

export function createClient(url: string, token: string | undefined): RestClient {
  const base = baseOf(url)
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }

  const ask = async (path: string, request: RequestInit): Promise<Response> => {
    try {
      return await fetch(`${base}${path}`, { ...request, headers })
    } catch (cause) {
      const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause)
      const advice = 'is the server running, and is "--url" right?'
      throw fault('http-failed', `Cannot reach the server at ${base}: ${advice} (${reason})`, { cause })
    }
  }
  const succeed = async (path: string, request: RequestInit): Promise<unknown> => {
    const response = await ask(path, request)
    if (!response.ok) throw fault('http-failed', await reasonOf(response))
    return await response.json()
  }
  return {
    get: (path) => succeed(path, { method: 'GET' }),
    post: (path) => succeed(path, { method: 'POST' }),
    delete: (path) => succeed(path, { method: 'DELETE' }),
    async stream(path, signal) {
      const response = await ask(path, { method: 'GET', signal })
      if (!response.ok) throw fault('http-failed', await reasonOf(response))
      return response.body!.pipeThrough(new TextDecoderStream())
    },
    async upload(path, body) {
      const response = await ask(path, { method: 'POST', body, duplex: 'half' })
      if (response.ok) return { ok: true, body: await response.json() }
      if (response.status === 401) throw fault('http-failed', await reasonOf(response))
      return { ok: false, reason: await reasonOf(response) }
    },
  }
}

function baseOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw fault(
      'bad-setting',
      `"--url" is not an HTTP address: "${url}"; expected such as http://127.0.0.1:8042`,
    )
  }
  return url.replace(/\/+$/, '')
}

async function reasonOf(response: Response): Promise<string> {
  if (response.status === 401) return 'The server wants its token: give "--token" or set ONSTABLE_TOKEN'
  const text = await response.text()
  try {
    const { Details, Message } = errorAnswer.parse(JSON.parse(text))
    return Details ?? `${Message}: ${new URL(response.url).pathname}`
  } catch {
    return `The server answered ${response.status} ${response.statusText}`.trim()
  }
}
