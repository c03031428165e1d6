/**
 * `host.http`: a request to another server, already permitted. Redirects are not followed: they are the answer,
 * since they may lead out of what was granted.
 */
import type { Agent, Dispatcher } from 'undici'
import { fault, messageOf, type OnStableError } from '../errors.ts'
import type { ParsedHostCall } from './calls.ts'
import { lookupAllowed } from './lookup.ts'
import { type Place, Room } from './room.ts'
import { Turns } from './turns.ts'

type HttpCall = Extract<ParsedHostCall, { name: 'http' }>

export interface HttpAnswer {
  readonly status: number
  readonly ok: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export interface Http {
  /**
   * @returns an `HttpAnswer` as JSON
   * @throws `http-failed`, `bad-host-call`, `too-large`
   */
  request(call: HttpCall, idempotencyKey: string, signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

const defaultTimeoutMs = 30_000
const maxResponseBytes = 4 * 1024 * 1024

/** Headers that belong to the connection, not to the request (RFC 9110, section 7.6.1). */
const refusedHeaders = new Set(
  'connection content-length expect host keep-alive te trailer transfer-encoding upgrade'.split(' '),
)

/** @param isGranted whether any script may ask: else the library, of 20 MB, is not loaded before somebody does */
export function openHttp(isGranted: boolean): Http {
  const room = new Room()
  const turns = new Turns()
  let agent: Promise<Agent> | null = null
  const openAgent = async () => {
    const { Agent } = await import('undici')
    return new Agent({ connect: { lookup: lookupAllowed }, keepAliveTimeout: 4_000 })
  }
  const agentNow = () => (agent ??= openAgent())
  if (isGranted) agentNow().catch(() => {})
  const request: Http['request'] = async (call, idempotencyKey, signal) => {
    const url = new URL(call.url)
    const headers = headersOf(call.headers, idempotencyKey)
    const timeoutMs = call.timeoutMs ?? defaultTimeoutMs
    const timedOut = AbortSignal.timeout(timeoutMs)
    try {
      const response = await (await agentNow()).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: call.method,
        headers,
        body: call.body,
        signal: AbortSignal.any([signal, timedOut]),
      })
      using place = room.enter()
      const body = await bodyOf(response, url, place)
      // To make text of megabytes takes a while: one at a time, and everybody else in between.
      const endTurn = await turns.take()
      try {
        return JSON.stringify(answerOf(response, body))
      } finally {
        endTurn()
      }
    } catch (error) {
      if (timedOut.aborted) throw failed(url, `no answer within ${timeoutMs} ms`, error)
      if (error instanceof Error && 'entry' in error) throw error
      throw failed(url, reasonOf(error), error)
    }
  }
  return { request, close: async () => (await agent)?.destroy() }
}

function headersOf(given: HttpCall['headers'], idempotencyKey: string): Record<string, string> {
  const headers: Record<string, string> = { 'idempotency-key': idempotencyKey }
  for (const [name, value] of Object.entries(given)) {
    const lowerName = name.toLowerCase()
    if (refusedHeaders.has(lowerName) || lowerName.startsWith('proxy-')) {
      throw fault('bad-host-call', `host.http: header "${name}" is set by the host: leave it out`)
    }
    headers[lowerName] = value
  }
  return headers
}

async function bodyOf({ body }: Dispatcher.ResponseData, url: URL, place: Place): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxResponseBytes) {
      throw fault('too-large', `The answer of ${url.origin} is longer than ${maxResponseBytes} bytes`)
    }
    await place.take(chunk.length)
    chunks.push(chunk)
  }
  const whole = Buffer.concat(chunks)
  // As JSON it could be six times as long, which would be found out only by making it.
  if (leastJsonBytes(whole) > maxResponseBytes) {
    throw fault('too-large', `The answer of ${url.origin} is longer than ${maxResponseBytes} bytes as JSON`)
  }
  return whole
}

/** What text of these bytes takes as JSON, at least: control characters, quotes and backslashes are escaped. */
function leastJsonBytes(bytes: Buffer): number {
  let more = 0
  // By number: to iterate over megabytes takes ten times as long.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte < 0x20) more += byte >= 0x08 && byte <= 0x0d && byte !== 0x0b ? 1 : 5
    else if (byte === 0x22 || byte === 0x5c) more++
  }
  return bytes.length + more
}

function answerOf({ statusCode, headers }: Dispatcher.ResponseData, body: Buffer): HttpAnswer {
  const flat = Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')])
  return {
    status: statusCode,
    ok: statusCode >= 200 && statusCode < 300,
    headers: Object.fromEntries(flat),
    text: decoderFor(String(headers['content-type'] ?? '')).decode(body),
  }
}

function decoderFor(contentType: string): InstanceType<typeof TextDecoder> {
  const charset = /charset="?([\w:.-]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

function failed(url: URL, reason: string, cause: unknown): OnStableError {
  return fault('http-failed', `The request to ${url.origin} failed: ${reason}`, { cause })
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return messageOf(error)
}
