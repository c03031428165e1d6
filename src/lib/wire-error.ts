/** Errors as plain data, to pass between threads of this process. */
import { type ErrorCode, fault, OnStableError } from '../errors.ts'

export type WireError =
  | {
      readonly kind: 'fault'
      readonly code: ErrorCode
      readonly message: string
      readonly cause: string | null
    }
  | {
      readonly kind: 'other'
      /** Of a system error, such as `ENOSPC`. */
      readonly systemCode: string | null
      readonly message: string
      readonly stack: string
    }

export function wireError(thrown: unknown): WireError {
  if (thrown instanceof OnStableError) {
    const { code, message, cause } = thrown
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : null
    return { kind: 'fault', code, message, cause: text }
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code } = error as NodeJS.ErrnoException
  return { kind: 'other', systemCode: code ?? null, message: error.message, stack: error.stack ?? '' }
}

/** Rebuilds what `wireError` flattened: same code, message and origin. */
export function errorFromWire(wire: WireError): Error {
  if (wire.kind === 'fault') {
    return fault(wire.code, wire.message, wire.cause === null ? {} : { cause: wire.cause })
  }
  const error: NodeJS.ErrnoException = new Error(wire.message)
  error.stack = wire.stack
  if (wire.systemCode !== null) error.code = wire.systemCode
  return error
}
