/** Globals that browsers and Node have and the language has not, for scripts that name them: URLs. */
export { default as URL } from 'core-js-pure/web/url'
export { default as URLSearchParams } from 'core-js-pure/web/url-search-params'
