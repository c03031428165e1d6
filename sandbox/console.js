/**
 * `console`: lines of the log of the run at work. Groups, counts and times are of one run.
 */
// biome-ignore-all lint/suspicious/noShadowRestrictedNames: captured before a script can change them
;(write, show, caps) => {
  const { Error, Number, String } = globalThis
  const { now } = Date
  const { create, defineProperty, keys } = Object
  const { isArray } = Array
  const { trunc } = Math
  const bound = (method) => Function.prototype.call.bind(method)
  const [indexOf, slice, repeat, padEnd] = ['indexOf', 'slice', 'repeat', 'padEnd'].map((name) =>
    bound(String.prototype[name]),
  )
  const deepestGroup = 10
  const mostRows = 100
  const mostColumns = 20
  const widestCell = 60

  class Trace extends Error {}
  defineProperty(Trace.prototype, 'name', { value: 'Trace' })

  let depth = 0
  let counts = create(null)
  let startedAt = create(null)

  function begin() {
    depth = 0
    counts = create(null)
    startedAt = create(null)
  }

  function line(level, values) {
    write(level, () => repeat('  ', depth) + text(values))
  }

  /** The first may say where the others go: `%s`, `%d`, `%i`, `%f`, `%j`, `%o`, `%O`, `%c`; the rest follows. */
  function text(values) {
    let joined = ''
    let next = 0
    if (values.length > 1 && typeof values[0] === 'string' && indexOf(values[0], '%') >= 0) {
      const pattern = values[0]
      next = 1
      let from = 0
      for (let at = indexOf(pattern, '%'); at >= 0; at = indexOf(pattern, '%', from)) {
        const letter = pattern[at + 1] ?? ''
        joined += slice(pattern, from, at)
        from = at + 2
        if (letter === '%') joined += '%'
        else if (next < values.length && indexOf('sdifjoOc', letter) >= 0 && letter !== '')
          joined += filledIn(letter, values[next++])
        else joined += `%${letter}`
      }
      joined += slice(pattern, from)
    }
    for (let first = next === 0; next < values.length && joined.length <= caps.logLineLength; next++) {
      joined += (first ? '' : ' ') + show(values[next])
      first = false
    }
    return joined
  }

  function filledIn(letter, value) {
    if (letter === 'c') return ''
    if (letter === 'd' || letter === 'f')
      return typeof value === 'bigint' ? `${value}n` : String(Number(value))
    if (letter === 'i') return typeof value === 'bigint' ? `${value}n` : String(trunc(Number(value)))
    return show(value)
  }

  /** Rows of columns, each row a line; what is no table is logged as it is. */
  function table(data, columns) {
    if (typeof data !== 'object' || data === null) return line('info', [data])
    const names = keys(data)
    const heads = isArray(columns) ? columns : headsOf(data, names)
    const rows = [['', ...heads]]
    for (let at = 0; at < names.length && at < mostRows; at++) {
      const row = data[names[at]]
      const cells = [names[at]]
      for (let column = 0; column < heads.length; column++) {
        const isObject = typeof row === 'object' && row !== null
        const value = isObject ? row[heads[column]] : heads[column] === 'value' ? row : undefined
        cells[column + 1] = value === undefined ? '' : slice(show(value), 0, widestCell)
      }
      rows[rows.length] = cells
    }
    const widths = rows[0].map((_, column) =>
      rows.reduce((most, row) => (row[column].length > most ? row[column].length : most), 0),
    )
    for (let at = 0; at < rows.length; at++) {
      line('info', [rows[at].map((cell, column) => padEnd(cell, widths[column])).join(' | ')])
    }
    if (names.length > mostRows) line('info', [`… ${names.length - mostRows} more`])
  }

  function headsOf(data, names) {
    const heads = []
    let hasPlain = false
    for (let at = 0; at < names.length && at < mostRows; at++) {
      const row = data[names[at]]
      if (typeof row !== 'object' || row === null) {
        hasPlain = true
        continue
      }
      for (const name of keys(row)) if (heads.length < mostColumns && !heads.includes(name)) heads.push(name)
    }
    return hasPlain ? [...heads, 'value'] : heads
  }

  function sinceStart(label) {
    const started = startedAt[label]
    return started === undefined ? null : `${label}: ${now() - started} ms`
  }

  const logAt =
    (level) =>
    (...values) =>
      line(level, values)
  const group = (...values) => {
    if (values.length > 0) line('info', values)
    if (depth < deepestGroup) depth++
  }
  globalThis.console = {
    debug: logAt('debug'),
    log: logAt('info'),
    info: logAt('info'),
    warn: logAt('warn'),
    error: logAt('error'),
    dir: (value) => line('info', [value]),
    table,
    group,
    groupCollapsed: group,
    groupEnd: () => {
      if (depth > 0) depth--
    },
    trace: (...values) => line('info', [new Trace(text(values)).stack]),
    assert: (condition, ...values) => {
      if (!condition) line('error', ['Assertion failed', ...values])
    },
    count: (label = 'default') => {
      counts[label] = (counts[label] ?? 0) + 1
      line('info', [`${label}: ${counts[label]}`])
    },
    countReset: (label = 'default') => {
      delete counts[label]
    },
    time: (label = 'default') => {
      startedAt[label] = now()
    },
    timeLog: (label = 'default', ...values) => {
      const said = sinceStart(label)
      if (said !== null) line('info', [said, ...values])
    },
    timeEnd: (label = 'default') => {
      const said = sinceStart(label)
      if (said !== null) line('info', [said])
      delete startedAt[label]
    },
  }
  return { begin, text }
}
