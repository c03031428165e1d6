/**
 * Globals that browsers and Node have and the language has not. They become part of a script's program if it
 * names them, so that a script without them is no larger.
 */
export { TextDecoder, TextEncoder } from '@exodus/bytes/encoding-lite.js'
export { default as URL } from 'core-js-pure/web/url'
export { default as URLSearchParams } from 'core-js-pure/web/url-search-params'
