/**
 * The isolate's side of the wall, made before any code of a script: `console`, timers and `host`, and what the
 * child calls to open a script, to run a callback, and to hand in answers. Nothing but text and numbers crosses.
 * Primordials are captured here: what a script changes of its globals changes nothing of this.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(post, capsJson, makeText, makeHost) => {
  const { Promise, Error, TypeError, RangeError, String, Number } = globalThis
  const { parse, stringify } = JSON
  const { create, freeze, keys, defineProperty } = Object
  const { captureStackTrace } = Error
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const slice = uncurry(String.prototype.slice)
  const charCodeAt = uncurry(String.prototype.charCodeAt)
  const caps = parse(capsJson)
  const { show, cut, describe } = makeText(caps)

  /** The load, run or unload at work: `id`, whether it may ask the host, and what it has used of its caps. */
  let task = { __proto__: null, id: 0, mayAsk: false, logBytes: 0, logCut: false, isWell: false }
  let hasSkipped = false
  let script = null
  let calls = create(null)
  let waitingCalls = 0
  let waitingLength = 0
  let firstQueued = null
  let lastQueued = null
  let lastCall = 0
  let timers = create(null)
  let timerCount = 0
  /** Set since the isolate was entered: those that were cleared at once have been posted, too. */
  let timersSet = 0
  let lastTimer = 0

  function begin(id, mayAsk) {
    task = { __proto__: null, id, mayAsk, logBytes: 0, logCut: false, isWell: false }
    calls = create(null)
    timers = create(null)
    waitingCalls = waitingLength = timerCount = timersSet = 0
    firstQueued = lastQueued = null
  }

  // Logs

  function log(level, values) {
    if (task.logCut) return
    let text = ''
    for (let i = 0; i < values.length && text.length <= caps.logLineLength; i++) {
      text += (i === 0 ? '' : ' ') + show(values[i])
    }
    text = cut(text, caps.logLineLength)
    task.logBytes += caps.logLineOverheadBytes
    for (let i = 0; i < text.length; i++) {
      const code = charCodeAt(text, i)
      task.logBytes += code < 0x80 ? 1 : code < 0x800 || (code & 0xf800) === 0xd800 ? 2 : 3
    }
    task.logCut = task.logBytes > caps.logBytes
    if (task.logCut)
      post('log', task.id, 'warn', `The log ends here: it met its limit of ${caps.logBytes} bytes`)
    else post('log', task.id, level, text)
  }

  globalThis.console = {
    debug: (...values) => log('debug', values),
    log: (...values) => log('info', values),
    info: (...values) => log('info', values),
    warn: (...values) => log('warn', values),
    error: (...values) => log('error', values),
  }

  // Host calls

  /** Asks the engine; the promise settles with its answer, read by `read`. */
  function ask(name, args, read) {
    return new Promise((resolve, reject) => {
      if (!task.mayAsk) throw hostError('bad-host-call', `host.${name} works in event callbacks only`)
      const argumentsJson = stringify(args)
      if (argumentsJson.length > caps.argumentsLength) {
        const found = `${argumentsJson.length} characters as JSON, expected at most ${caps.argumentsLength}`
        throw hostError('too-large', `The arguments of host.${name} are ${found}`)
      }
      const site = {}
      captureStackTrace(site, ask)
      const id = ++lastCall
      const call = { __proto__: null, id, name, argumentsJson, resolve, reject, read, site, next: null }
      if (lastQueued === null) firstQueued = call
      else lastQueued.next = call
      lastQueued = call
      sendQueued()
    })
  }

  function sendQueued() {
    while (firstQueued !== null && waitingCalls < caps.waitingCalls) {
      const call = firstQueued
      if (waitingCalls > 0 && waitingLength + call.argumentsJson.length > caps.waitingLength) return
      firstQueued = call.next
      if (firstQueued === null) lastQueued = null
      waitingCalls++
      waitingLength += call.argumentsJson.length
      calls[call.id] = call
      post('call', task.id, call.id, call.name, call.argumentsJson)
    }
  }

  function answer(id, ok, json) {
    const call = calls[id]
    if (call === undefined) return
    delete calls[id]
    timersSet = 0
    waitingCalls--
    waitingLength -= call.argumentsJson.length
    sendQueued()
    try {
      const value = parse(json)
      if (ok) call.resolve(call.read(value))
      else call.reject(hostError(value.code, value.message, call.site))
    } catch (thrown) {
      call.reject(thrown)
    }
  }

  /** An error with a code, as if it were made where the script called the host. */
  function hostError(code, message, site) {
    const error = new Error(message)
    defineProperty(error, 'code', { value: code, writable: true, configurable: true, enumerable: true })
    if (site !== undefined) {
      const stack = String(site.stack)
      let at = 0
      while (at < stack.length && charCodeAt(stack, at) !== 10) at++
      error.stack = `Error: ${message}${slice(stack, at)}`
    }
    return error
  }

  const host = makeHost(ask, (values) => log('info', values))

  // Timers

  globalThis.setTimeout = function setTimeout(callback, delayMs, ...args) {
    if (typeof callback !== 'function') throw new TypeError('setTimeout expects a function')
    if (timerCount >= caps.timers) throw new RangeError(`A run has at most ${caps.timers} timers at a time`)
    if (++timersSet > caps.timersSet) {
      throw new RangeError(`A run sets at most ${caps.timersSet} timers before it waits`)
    }
    const id = ++lastTimer
    const wait = Number(delayMs)
    timerCount++
    timers[id] = () => callback(...args)
    post('timer', task.id, id, wait > 0 && wait < 2 ** 31 ? wait : 0)
    return id
  }
  globalThis.clearTimeout = function clearTimeout(id) {
    if (typeof id !== 'number' || timers[id] === undefined) return
    delete timers[id]
    timerCount--
    post('clear', task.id, id)
  }
  function fire(id) {
    timersSet = 0
    const callback = timers[id]
    if (callback === undefined) return
    delete timers[id]
    timerCount--
    callback()
  }

  // A script's life

  async function open() {
    const { id } = task
    try {
      script = globalThis.__exports
      if (typeof script !== 'object' || script === null) throw new TypeError('The script exports nothing')
      const functions = []
      defineProperty(functions, 'toJSON', { value: undefined })
      for (const name of keys(script)) {
        if (typeof script[name] === 'function') {
          defineProperty(functions, functions.length, { value: name, enumerable: true })
        }
      }
      const manifest = script.script
      const loaded = stringify({ __proto__: null, functions, manifest })
      if (loaded.length > caps.manifestLength) {
        throw new RangeError(`The export "script" is ${loaded.length} characters as JSON: make it shorter`)
      }
      if (typeof script.initialize === 'function') await script.initialize(host)
      post('done', id, true, loaded)
    } catch (thrown) {
      post('done', id, false, describe(thrown))
    }
  }

  async function call(name, eventJson) {
    const own = task
    const { id } = own
    try {
      const callback = script[name]
      if (typeof callback !== 'function') throw new TypeError(`The script exports no function "${name}"`)
      await callback(parse(eventJson), host)
      own.isWell = true
      post('done', id, true, '')
    } catch (thrown) {
      post('done', id, false, describe(thrown))
    }
  }

  async function close() {
    const { id } = task
    try {
      if (typeof script?.finalize === 'function') await script.finalize(host)
      post('done', id, true, '')
    } catch (thrown) {
      post('done', id, false, describe(thrown))
    }
  }

  return freeze({
    __proto__: null,
    begin: (id) => begin(id, false),
    open: () => void open(),
    run: (id, name, eventJson) => {
      hasSkipped = false
      begin(id, true)
      void call(name, eventJson)
    },
    // Only behind one that has ended well and waits for nothing; after one that is skipped, all are, in order.
    runAhead: (id, name, eventJson) => {
      hasSkipped ||= !task.isWell || waitingCalls > 0
      if (hasSkipped) return post('skipped', id)
      begin(id, true)
      void call(name, eventJson)
    },
    close: (id) => {
      begin(id, false)
      void close()
    },
    answer,
    fire,
  })
}
