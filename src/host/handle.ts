/**
 * Does what a parsed call asks, if the script may.
 */
import type { Settings } from '../config.ts'
import type { Level } from '../dicom/dicom.ts'
import { fault } from '../errors.ts'
import { meant } from '../lib/nearest.ts'
import type { ParsedHostCall } from './calls.ts'
import { type GetRoute, getResource } from './get-call.ts'
import { digestOf } from './hash-call.ts'
import type { HeldKeyValue } from './held-key-value.ts'
import type { Http } from './http-call.ts'
import type { Permissions } from './permissions.ts'

interface Reference {
  readonly level: Level
  readonly id: string
}

/** Of a resource, the instances with numbers above the first, up to the second. */
export interface SendsOnly extends Reference {
  readonly addedAfter: number
  readonly addedUpTo: number
}

/** Sends the instances of a resource, or some of them, to a configured modality. */
export type Send = (
  reference: Reference | SendsOnly,
  modality: string,
  signal: AbortSignal,
) => Promise<{ readonly sent: number }>

export interface HandleParts {
  readonly get: GetRoute
  readonly send: Send
  readonly http: Http
  readonly permissions: Permissions
  readonly keyValue: HeldKeyValue
  readonly modalities: Settings['modalities']
  readonly idempotencyKey: string
  readonly sendsOnly: SendsOnly | null
}

/**
 * @returns the answer as JSON text
 * @throws an error of the catalogue for what the script did wrong or what failed
 */
export async function handle(call: ParsedHostCall, parts: HandleParts, signal: AbortSignal): Promise<string> {
  const { keyValue, permissions } = parts
  switch (call.name) {
    case 'get':
      return await getResource(call.path, parts.get)
    case 'send': {
      permissions.send(call.modality)
      requireModality(call.modality, parts.modalities)
      const { level, id } = call
      const only = parts.sendsOnly
      const reference = only?.level === level && only.id === id ? only : { level, id }
      return JSON.stringify(await parts.send(reference, call.modality, signal))
    }
    case 'http': {
      permissions.http(new URL(call.url))
      return await parts.http.request(call, parts.idempotencyKey, signal)
    }
    case 'hash':
      return JSON.stringify(digestOf(call.algorithm, call.text, call.key))
    case 'kv.get':
      return await keyValue.get(call.key)
    case 'kv.set':
      return await keyValue.set(call.key, call.value)
    case 'kv.delete':
      return keyValue.delete(call.key)
    case 'kv.list':
      return await keyValue.list(call.prefix, call.after)
    default:
      return call satisfies never
  }
}

function requireModality(name: string, modalities: Settings['modalities']): void {
  if (Object.hasOwn(modalities, name)) return
  const known = Object.keys(modalities)
  const hint = known.length === 0 ? 'configure it under "modalities" in onstable.json' : meant(name, known)
  throw fault('bad-host-call', `Modality "${name}" is not configured: ${hint}`)
}

export type { GetRoute }
