/**
 * The object `host` that callbacks get: each function names a call of `src/host/calls.ts` and the shape of its
 * arguments. The engine checks both again.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(ask, log, retryAfter, giveUp) => {
  const { TypeError, String } = globalThis
  const { parse, stringify } = JSON
  const { freeze, keys, defineProperty } = Object
  const toLowerCase = Function.prototype.call.bind(String.prototype.toLowerCase)
  const same = (value) => value
  const none = () => undefined

  function json(value, what) {
    const text = stringify(value)
    if (text === undefined) throw new TypeError(`${what} cannot be written as JSON`)
    return text
  }

  function httpArguments(url, request) {
    // What is misspelt goes along, to be refused by name.
    const { method = 'GET', headers: given = {}, body = null, timeoutMs = null, ...unknown } = request
    const others = { ...unknown, url: String(url), method, timeoutMs }
    const headers = { ...given }
    if (typeof body === 'string' || body === null) return { ...others, headers, body }
    let typed = false
    for (const name of keys(headers)) typed ||= toLowerCase(name) === 'content-type'
    if (!typed) headers['content-type'] = 'application/json'
    return { ...others, headers, body: json(body, 'The body of host.http') }
  }

  function httpResponse(answer) {
    const { text } = answer
    return defineProperty(answer, 'json', { value: () => parse(text) })
  }

  // Awaited here, so that a promise is never handed to a `then` that a script replaced.
  return freeze({
    log: (...values) => log(values),
    retryAfter,
    giveUp,
    get: async (path) => await ask('get', { path }, same),
    send: async (resource, modality) =>
      await ask('send', { level: resource?.level, id: resource?.id, modality }, same),
    http: async (url, { signal, ...request } = {}) =>
      await ask('http', httpArguments(url, request), httpResponse, signal),
    hash: async (algorithm, text, key = null) => await ask('hash', { algorithm, text, key }, same),
    kv: freeze({
      get: async (key) => await ask('kv.get', { key }, same),
      set: async (key, value) =>
        await ask('kv.set', { key, value: json(value, 'The value of host.kv.set') }, none),
      delete: async (key) => await ask('kv.delete', { key }, none),
      list: async (prefix = '', page = {}) => await ask('kv.list', { after: null, ...page, prefix }, same),
    }),
  })
}
