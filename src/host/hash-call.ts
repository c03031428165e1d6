/** Digests for scripts, whose isolates have no cryptography: pseudonyms, names of files, signatures of requests. */
import { createHash, createHmac } from 'node:crypto'

export const hashAlgorithms = ['sha256', 'sha384', 'sha512', 'sha1', 'md5'] as const

/**
 * @param text hashed as UTF-8
 * @param key makes it an HMAC (RFC 2104), so that who does not know the key cannot try out values; null: none
 * @returns hexadecimal digits
 */
export function digestOf(
  algorithm: (typeof hashAlgorithms)[number],
  text: string,
  key: string | null,
): string {
  const hash = key === null ? createHash(algorithm) : createHmac(algorithm, key)
  return hash.update(text, 'utf8').digest('hex')
}
