/**
 * The isolate's side of the wall, made before any code of a script: `console`, timers and `host`, and what the
 * child calls to open a script, to run a callback, and to hand in answers. Nothing but text and numbers crosses.
 * Primordials are captured here: what a script changes of its globals changes nothing of this.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(
  post,
  capsJson,
  seed,
  recalled,
  makeVerdict,
  makeShow,
  makeText,
  makeConsole,
  makeAbort,
  makeCalls,
  makeHost,
) => {
  const { TypeError, RangeError, Number } = globalThis
  const { parse, stringify } = JSON
  const { create, freeze, keys, defineProperty } = Object
  const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt)
  const caps = parse(capsJson)
  const { retryAfter, giveUp, verdictOf } = makeVerdict(caps)
  const shown = makeShow(caps)
  const { show, cut } = shown
  const { describe } = makeText(caps, verdictOf, shown)

  // Taken by web-crypto.js, where it is part of a script, before the first line of that. It tells a script nothing
  // but its own random numbers to come.
  defineProperty(globalThis, '__seed', { value: seed, configurable: true })

  /** The load, run or unload at work: `id`, and what it has used of its caps. */
  let task = { __proto__: null, id: 0, logBytes: 0, logCut: false, isWell: false }
  let hasSkipped = false
  let script = null
  let timers = create(null)
  let timerCount = 0
  /** Of this visit to the isolate: those that were cleared at once have been posted, too. */
  let timersSet = 0
  let lastTimer = 0

  function begin(id, mayAsk) {
    timersSet = 0
    task = { __proto__: null, id, logBytes: 0, logCut: false, isWell: false }
    timers = create(null)
    timerCount = 0
    logs.begin()
    calls.begin(id, mayAsk)
  }

  // Logs

  /** @param makeLine not called any more when the log is full */
  function log(level, makeLine) {
    if (task.logCut) return
    const text = cut(makeLine(), caps.logLineLength)
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

  const logs = makeConsole(log, show, caps)

  // Timers

  function startTimer(callback, waitMs) {
    if (timerCount >= caps.timers) throw new RangeError(`A run has at most ${caps.timers} timers at a time`)
    if (++timersSet > caps.timersSet) {
      throw new RangeError(`A run sets at most ${caps.timersSet} timers before it waits`)
    }
    const id = ++lastTimer
    timerCount++
    timers[id] = callback
    post('timer', task.id, id, waitMs > 0 && waitMs < 2 ** 31 ? waitMs : 0)
    return id
  }
  const isTimer = (id) => timers[id] !== undefined
  function stopTimer(id) {
    if (!isTimer(id)) return
    delete timers[id]
    timerCount--
    post('stop-timer', task.id, id)
  }
  globalThis.setTimeout = function setTimeout(callback, delayMs, ...args) {
    if (typeof callback !== 'function') throw new TypeError('setTimeout expects a function')
    return startTimer(() => callback(...args), Number(delayMs))
  }
  globalThis.clearTimeout = function clearTimeout(id) {
    if (typeof id === 'number') stopTimer(id)
  }
  function fire(id) {
    const callback = timers[id]
    if (callback === undefined) return
    timersSet = 0
    delete timers[id]
    timerCount--
    callback()
  }

  // What a callback is given

  const whenAborted = makeAbort(startTimer, stopTimer, isTimer)
  const calls = makeCalls(post, caps, whenAborted)
  const host = makeHost(calls.ask, (values) => log('info', () => logs.text(values)), retryAfter, giveUp)

  // A script's life

  async function open() {
    const { id } = task
    try {
      script = globalThis.__exports
      if (typeof script !== 'object' || script === null) throw new TypeError('The script exports nothing')
      const functions = []
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

  /** Long text comes in pieces. */
  function whole(pieces) {
    let text = ''
    for (let i = 0; i < pieces.length; i++) text += pieces[i]
    return text
  }

  async function call(name, eventJson) {
    const own = task
    const { id } = own
    try {
      const callback = script[name]
      if (typeof callback !== 'function') throw new TypeError(`The script exports no function "${name}"`)
      const answer = await callback(parse(eventJson), host)
      // Returned instead of thrown, it can mean nothing else.
      if (verdictOf(answer) !== undefined) throw answer
      own.isWell = true
      // All that a question can be answered with; nothing of a script is called to make text of these.
      post('done', id, true, typeof answer === 'boolean' || typeof answer === 'number' ? `${answer}` : '')
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
    run: (id, name, ...event) => {
      hasSkipped = false
      begin(id, true)
      void call(name, whole(event))
    },
    // Only behind one that has ended well and waits for nothing, unless it is recalled; after one that is skipped, all
    // are, in order.
    runAhead: (id, name, ...event) => {
      hasSkipped ||= !task.isWell || calls.areWaiting() || id <= recalled[0]
      if (hasSkipped) return post('skipped', id)
      begin(id, true)
      void call(name, whole(event))
    },
    close: (id) => {
      begin(id, false)
      void close()
    },
    answer: (id, ok, ...json) => {
      timersSet = 0
      calls.answer(id, ok, whole(json))
    },
    fire,
  })
}
