/**
 * The isolate's side of host calls: what waits for the engine, within the caps, and what queues here behind that.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(post, caps, whenAborted) => {
  const { Promise, Error, String } = globalThis
  const { parse, stringify } = JSON
  const { create, defineProperty } = Object
  const { captureStackTrace } = Error
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const slice = uncurry(String.prototype.slice)
  const charCodeAt = uncurry(String.prototype.charCodeAt)

  /** The task at work; the calls of earlier ones are no longer of any consequence. */
  let task = { __proto__: null, id: 0, mayAsk: false, calls: 0 }
  let waiting = create(null)
  let waitingCalls = 0
  let waitingLength = 0
  let firstQueued = null
  let lastQueued = null
  let lastCall = 0

  function begin(id, mayAsk) {
    task = { __proto__: null, id, mayAsk, calls: 0 }
    waiting = create(null)
    waitingCalls = waitingLength = 0
    firstQueued = lastQueued = null
  }

  /**
   * Asks the engine; the promise settles with its answer, read by `read`.
   * @param signal an `AbortSignal` that gives the call up; null or undefined: none
   */
  function ask(name, args, read, signal) {
    return new Promise((resolve, reject) => {
      if (!task.mayAsk) throw hostError('bad-host-call', `host.${name} works in event callbacks only`)
      if (task.calls >= caps.callsPerRun) {
        throw hostError('too-large', `A run asks the host at most ${caps.callsPerRun} times`)
      }
      const argumentsJson = stringify(args)
      if (argumentsJson.length > caps.argumentsLength) {
        const found = `${argumentsJson.length} characters as JSON, expected at most ${caps.argumentsLength}`
        throw hostError('too-large', `The arguments of host.${name} are ${found}`)
      }
      const site = {}
      captureStackTrace(site, ask)
      const id = ++lastCall
      task.calls++
      const call = { __proto__: null, task, id, name, argumentsJson, resolve, reject, read, site, next: null }
      call.isGivenUp = false
      call.unlisten = null
      if (signal !== null && signal !== undefined) {
        call.unlisten = whenAborted(signal, (reason) => giveUp(call, reason))
      }
      if (lastQueued === null) firstQueued = call
      else lastQueued.next = call
      lastQueued = call
      sendQueued()
    })
  }

  function sendQueued() {
    while (firstQueued !== null && waitingCalls < caps.waitingCalls) {
      const call = firstQueued
      const { length } = call.argumentsJson
      if (!call.isGivenUp && waitingCalls > 0 && waitingLength + length > caps.waitingLength) return
      firstQueued = call.next
      if (firstQueued === null) lastQueued = null
      if (call.isGivenUp) continue
      waitingCalls++
      waitingLength += length
      waiting[call.id] = call
      post('call', task.id, call.id, call.name, call.argumentsJson)
    }
  }

  /** What the engine has is ended there; it counts as waiting until the engine has answered that. */
  function giveUp(call, reason) {
    if (call.task !== task) return
    call.isGivenUp = true
    call.reject(reason)
    if (waiting[call.id] === call) post('cancel', task.id, call.id)
    else sendQueued()
  }

  function answer(id, ok, json) {
    const call = waiting[id]
    if (call === undefined) return
    delete waiting[id]
    waitingCalls--
    waitingLength -= call.argumentsJson.length
    sendQueued()
    if (call.isGivenUp) return
    if (call.unlisten !== null) call.unlisten()
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

  return { __proto__: null, begin, ask, answer, areWaiting: () => waitingCalls > 0 }
}
