/**
 * `AbortController` and `AbortSignal` as in the DOM standard (chapter 3), for the one event `abort`.
 *
 * A signal to which nobody listens costs nothing: no timer runs for it, and the signals that it was made of do not
 * know it. When it is asked, it looks at the clock, or at those. So a run may make one for each of its requests.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(startTimer, stopTimer, isTimer) => {
  const { TypeError, DOMException, Map, Number, Promise } = globalThis
  const { now } = Date
  const { trunc, min } = Math
  const { isSafeInteger } = Number
  const { apply } = Reflect
  const { defineProperty, getOwnPropertyDescriptor } = Object
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const get = uncurry(Map.prototype.get)
  const set = uncurry(Map.prototype.set)
  const remove = uncurry(Map.prototype.delete)
  const forEach = uncurry(Map.prototype.forEach)
  const sizeOf = uncurry(getOwnPropertyDescriptor(Map.prototype, 'size').get)
  const reject = Promise.reject.bind(Promise)

  const longestTimerMs = 2 ** 31 - 1
  /** Shows that a signal is made here, and is the key of `onabort` among its listeners. */
  const own = {}
  let timesAborted = 0
  let isSignal
  let abort
  let whenAborted

  const abortError = () => new DOMException('This operation was aborted', 'AbortError')

  class AbortSignal {
    #isAborted = false
    #reason
    /** Which of several was aborted first. */
    #order = 0
    /** By the function or object that was added; the prelude's are among them. */
    #listeners = new Map()
    /** Those made of this one by `any` to which somebody listens. */
    #dependents = new Map()
    /** What `any` made it of, but for signals made by `any` themselves. */
    #sources = null
    /** Of `timeout`: when it is over, its reason, and its timer while somebody listens. */
    #timeout = null

    constructor(key) {
      if (key !== own) throw new TypeError('Illegal constructor')
    }

    static abort(reason = abortError()) {
      const signal = new AbortSignal(own)
      signal.#mark(reason)
      return signal
    }

    static timeout(delayMs) {
      const mostMs = trunc(Number(delayMs))
      if (!isSafeInteger(mostMs) || mostMs < 0)
        throw new TypeError('AbortSignal.timeout expects milliseconds')
      const signal = new AbortSignal(own)
      // Made here, so that its stack shows whose timeout it was.
      const reason = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      signal.#timeout = { dueMs: now() + mostMs, mostMs: min(mostMs, longestTimerMs), reason, timer: 0 }
      return signal
    }

    static any(signals) {
      const signal = new AbortSignal(own)
      const sources = new Map()
      for (const source of signals) {
        if (!isSignal(source)) throw new TypeError('AbortSignal.any expects signals')
        if (signal.#isAborted) continue
        if (source.#isOver()) signal.#mark(source.#reason)
        else if (source.#sources === null) set(sources, source, source)
        else forEach(source.#sources, (root) => set(sources, root, root))
      }
      if (!signal.#isAborted) signal.#sources = sources
      return signal
    }

    get aborted() {
      return this.#isOver()
    }

    get reason() {
      return this.#isOver() ? this.#reason : undefined
    }

    throwIfAborted() {
      if (this.#isOver()) throw this.#reason
    }

    get onabort() {
      return get(this.#listeners, own) ?? null
    }

    set onabort(listener) {
      if (typeof listener === 'function') this.#listen(own, listener)
      else this.#forget(own)
    }

    /** Options make no difference to what happens once and has no phases. */
    addEventListener(type, listener) {
      if (listener === null || listener === undefined) return
      if (typeof listener !== 'function' && typeof listener !== 'object') {
        throw new TypeError('addEventListener expects a function')
      }
      if (type === 'abort') this.#listen(listener, listener)
    }

    removeEventListener(type, listener) {
      if (type === 'abort') this.#forget(listener)
    }

    get [Symbol.toStringTag]() {
      return 'AbortSignal'
    }

    #listen(key, listener) {
      // It happens once, so what comes later is never told.
      if (this.#isOver()) return
      try {
        this.#connect()
      } catch (thrown) {
        this.#rest()
        throw thrown
      }
      set(this.#listeners, key, listener)
    }

    #forget(key) {
      if (remove(this.#listeners, key)) this.#rest()
    }

    /** Has itself told of its end. A timer of an earlier run has gone with that. */
    #connect() {
      const timeout = this.#timeout
      if (timeout !== null && !isTimer(timeout.timer)) {
        const waitMs = min(timeout.mostMs, timeout.dueMs - now())
        timeout.timer = startTimer(() => this.#abort(timeout.reason), waitMs)
      }
      if (this.#sources === null) return
      forEach(this.#sources, (source) => {
        source.#connect()
        set(source.#dependents, this, this)
      })
    }

    /** Undoes that if nobody listens any more. */
    #rest() {
      if (!this.#isAborted && sizeOf(this.#listeners) + sizeOf(this.#dependents) > 0) return
      if (this.#timeout !== null) stopTimer(this.#timeout.timer)
      if (this.#sources === null) return
      forEach(this.#sources, (source) => {
        if (remove(source.#dependents, this)) source.#rest()
      })
    }

    /** Whether it is aborted, if only since the clock or a source says so. */
    #isOver() {
      if (this.#isAborted) return true
      const timeout = this.#timeout
      if (timeout !== null && !isTimer(timeout.timer) && now() >= timeout.dueMs) this.#mark(timeout.reason)
      let first = null
      if (this.#sources !== null) {
        forEach(this.#sources, (source) => {
          if (source.#isOver() && (first === null || source.#order < first.#order)) first = source
        })
      }
      if (first !== null) this.#mark(first.#reason)
      return this.#isAborted
    }

    #mark(reason) {
      this.#isAborted = true
      this.#reason = reason
      this.#order = ++timesAborted
      this.#rest()
      this.#timeout = this.#sources = null
    }

    #abort(reason) {
      if (this.#isAborted) return
      this.#mark(reason)
      const toTell = { signal: this, next: null }
      let last = toTell
      // All that are made of it are aborted before any code of the script hears of it.
      forEach(this.#dependents, (dependent) => {
        dependent.#mark(reason)
        last = last.next = { signal: dependent, next: null }
      })
      for (let told = toTell; told !== null; told = told.next) told.signal.#tell()
    }

    #tell() {
      const event = { type: 'abort', target: this, currentTarget: this }
      forEach(this.#listeners, (listener, key) => {
        remove(this.#listeners, key)
        try {
          if (typeof listener === 'function') apply(listener, this, [event])
          else apply(listener.handleEvent, listener, [event])
        } catch (thrown) {
          // Nobody handles it: it is charged to the run.
          reject(thrown)
        }
      })
    }

    static {
      isSignal = (value) => typeof value === 'object' && value !== null && #reason in value
      abort = (signal, reason) => signal.#abort(reason)
      whenAborted = (signal, tell) => {
        if (!isSignal(signal)) throw new TypeError('The signal is not an AbortSignal')
        if (signal.#isOver()) throw signal.#reason
        signal.#listen(tell, () => tell(signal.#reason))
        return () => signal.#forget(tell)
      }
    }
  }

  class AbortController {
    #signal = new AbortSignal(own)

    get signal() {
      return this.#signal
    }

    abort(reason = abortError()) {
      abort(this.#signal, reason)
    }

    get [Symbol.toStringTag]() {
      return 'AbortController'
    }
  }

  for (const made of [AbortController, AbortSignal]) {
    const descriptor = { value: made, writable: true, configurable: true, enumerable: false }
    defineProperty(globalThis, made.name, descriptor)
  }
  return whenAborted
}
