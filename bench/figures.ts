/** Medians, quantiles and ranges of figures. */

/** The value below which that part (0 to 1) of the figures lies: the nearest one that was measured. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** Each figure of the first side to that of the second which was taken right after it. */
export function ratios(first: readonly number[], second: readonly number[]): number[] {
  return first.flatMap((figure, round) => {
    const other = second[round]
    return other === undefined || other === 0 ? [] : [figure / other]
  })
}

/** A figure in three digits or so: `1,234`, `56.7`, `0.12`. */
export function shown(figure: number): string {
  const size = Math.abs(figure)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  return figure.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

/** Median and range: `1,234 (1,100–1,300)`. */
export function summary(figures: readonly number[], unit = ''): string {
  if (figures.length === 0) return ''
  if (figures.length === 1) return shown(median(figures)) + unit
  return `${shown(median(figures))}${unit} (${shown(Math.min(...figures))}–${shown(Math.max(...figures))})`
}
