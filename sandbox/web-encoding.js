/** Globals that browsers and Node have and the language has not, for scripts that name them: text as bytes. */
export { TextDecoder, TextEncoder } from '@exodus/bytes/encoding-lite.js'
