/**
 * What a callback may throw to say how its delivery goes on: `host.retryAfter` and `host.giveUp` make the errors,
 * and only errors made here count.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(caps) => {
  const { Error, TypeError, RangeError, Number, String } = globalThis
  const { captureStackTrace } = Error
  const { defineProperty } = Object
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const exec = uncurry(RegExp.prototype.exec)
  const get = uncurry(WeakMap.prototype.get)
  const set = uncurry(WeakMap.prototype.set)
  const duration = /^(\d{1,15}(?:\.\d{1,15})?) ?(ms|s|m|h|d)$/
  const unitMs = { __proto__: null, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

  const verdicts = new WeakMap()

  function errorOf(verdict, name, message, maker) {
    const error = new Error(message)
    captureStackTrace(error, maker)
    defineProperty(error, 'name', { value: name, writable: true, configurable: true })
    set(verdicts, error, verdict)
    return error
  }

  function readMs(wait) {
    if (typeof wait === 'number') return wait
    const match = typeof wait === 'string' ? exec(duration, wait) : null
    if (match === null)
      throw new TypeError('host.retryAfter expects a duration such as "10m", or milliseconds')
    return Number(match[1]) * unitMs[match[2]]
  }

  function retryAfter(wait, reason = 'The script asked to be told again later') {
    const waitMs = readMs(wait)
    if (!(waitMs >= 0 && waitMs <= caps.retryAfterMs)) {
      throw new RangeError(`host.retryAfter waits from 0 ms to ${caps.retryAfterMs / unitMs.d} days`)
    }
    return errorOf({ __proto__: null, retryAfterMs: waitMs }, 'RetryAfter', String(reason), retryAfter)
  }

  function giveUp(reason = 'The script gave up') {
    return errorOf({ __proto__: null, givesUp: true }, 'GivenUp', String(reason), giveUp)
  }

  /** `{ retryAfterMs }`, `{ givesUp }`, or undefined: nothing was said. */
  const verdictOf = (thrown) => get(verdicts, thrown)

  return { __proto__: null, retryAfter, giveUp, verdictOf }
}
