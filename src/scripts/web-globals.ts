/**
 * The file of globals that browsers and Node have and isolates have not. What of it a script names becomes part
 * of its program.
 */
import { fileURLToPath } from 'node:url'

export const webGlobals = fileURLToPath(new URL('../../sandbox/web-globals.js', import.meta.url))

/** Whether a program has one of their names, if only in a text. */
export function mayNameWebGlobals(code: string): boolean {
  return /\b(TextDecoder|TextEncoder|URL|URLSearchParams)\b/.test(code)
}
