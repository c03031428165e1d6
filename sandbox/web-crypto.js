/**
 * A global that browsers and Node have and the language has not, for scripts that name it: `crypto`, for random
 * values and UUIDs.
 *
 * An isolate has no entropy but the seed that it was made with. ChaCha20 makes a stream of it, piece by piece; the
 * first bytes of each piece are the key of the next, and what was handed out is wiped. So nothing that is kept here
 * tells what was drawn before ("fast key erasure", Bernstein 2017).
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
import { chacha20 } from '@noble/ciphers/chacha.js'

const { DOMException, TypeError, Uint8Array } = globalThis
const { freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object
const { captureStackTrace } = Error
const { isView } = ArrayBuffer
const { min } = Math

const getterOf = (name) =>
  Function.prototype.call.bind(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), name).get)
const kindOf = getterOf(Symbol.toStringTag)
const bufferOf = getterOf('buffer')
const byteOffsetOf = getterOf('byteOffset')
const byteLengthOf = getterOf('byteLength')

const keyBytes = 32
const pieceBytes = 512
const mostBytes = 65_536
const nonce = new Uint8Array(12)
const zeros = new Uint8Array(pieceBytes)
const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

let key = Uint8Array.from({ length: keyBytes }, (_, at) =>
  hexDigits.indexOf(__seed.slice(at * 2, at * 2 + 2)),
)
delete globalThis.__seed
let piece = new Uint8Array(0)
let drawnBytes = 0

function drawPiece() {
  const stream = chacha20(key, nonce, zeros)
  key = stream.slice(0, keyBytes)
  piece = stream.subarray(keyBytes)
  drawnBytes = 0
}

function fill(bytes) {
  for (let filled = 0; filled < bytes.length; ) {
    if (drawnBytes === piece.length) drawPiece()
    const end = min(drawnBytes + bytes.length - filled, piece.length)
    const drawn = piece.subarray(drawnBytes, end)
    bytes.set(drawn, filled)
    drawn.fill(0)
    filled += drawn.length
    drawnBytes = end
  }
  return bytes
}

/** Thrown where the script called, not in here. */
function refusal(error) {
  captureStackTrace(error, getRandomValues)
  return error
}

function getRandomValues(array) {
  if (!isView(array)) throw refusal(new TypeError('getRandomValues expects an array of integers'))
  if (!/^(Big)?(Ui|I)nt/.test(kindOf(array))) {
    throw refusal(new DOMException('getRandomValues expects an array of integers', 'TypeMismatchError'))
  }
  const byteLength = byteLengthOf(array)
  if (byteLength > mostBytes) {
    const message = `getRandomValues fills at most ${mostBytes} bytes, not ${byteLength}`
    throw refusal(new DOMException(message, 'QuotaExceededError'))
  }
  fill(new Uint8Array(bufferOf(array), byteOffsetOf(array), byteLength))
  return array
}

/** Version 4 of RFC 9562. */
function randomUUID() {
  const bytes = fill(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  let uuid = ''
  for (let at = 0; at < 16; at++) {
    uuid += (at === 4 || at === 6 || at === 8 || at === 10 ? '-' : '') + hexDigits[bytes[at]]
  }
  return uuid
}

export const crypto = freeze({ getRandomValues, randomUUID })
