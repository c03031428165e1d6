/**
 * What a script has thrown, as text that crosses the wall.
 */
;(caps, verdictOf, { show, cut, textOf, stackOf }) => {
  const { stringify } = JSON

  /** What was thrown, as JSON that no hook of the script can touch. */
  function describe(thrown) {
    const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function'
    let name = 'NonError'
    let message = `${show(thrown)} was thrown: expected an Error`
    let stack = ''
    if (isObject && (textOf(thrown, 'message') !== '' || textOf(thrown, 'stack') !== '')) {
      name = textOf(thrown, 'name') || 'Error'
      message = textOf(thrown, 'message')
      stack = stackOf(thrown)
    }
    return stringify({
      __proto__: null,
      ...(isObject ? verdictOf(thrown) : undefined),
      name: cut(name, 100),
      message: cut(message, caps.errorLength),
      stack: cut(stack, caps.errorLength),
    })
  }

  return { describe }
}
