/** Prints a report as a table: median and range of each side, and of the ratio pair by pair. */
import { median, ratios, shown, summary } from './figures.ts'
import type { MeasuredCase, Report } from './report.ts'

export function printReport(report: Report): void {
  const sides = Object.keys(report.versions)
  const isCompared = sides.length > 1
  const head = ['', 'unit', ...sides, ...(isCompared ? ['ratio'] : []), 'target', '']
  const rows = report.cases.map((each) => [
    each.name,
    each.unit,
    ...sides.map((side) => summary(each.figures[side] ?? [])),
    ...(isCompared ? [hasRatio(each) ? summary(ratiosOf(each), '×') : ''] : []),
    targetOf(each),
    verdictOf(each),
  ])
  const versions = sides.map((side) => `${side} ${report.versions[side]}`).join(' and ')
  console.log(`\n${report.title}: ${versions}\n${report.machine}, ${report.takenAt}\n`)
  console.log(table([head, ...rows]))
  console.log(`\n${report.method.map((line) => `  ${line}`).join('\n')}\n`)
}

/** Ratios of the first side to the second, one per pair; empty unless both were measured. */
export function ratiosOf({ figures }: MeasuredCase): number[] {
  const [first = [], second = []] = Object.values(figures)
  return ratios(first, second)
}

/** Rates are compared as ratios; how late something is, or how often it happens, speaks for itself. */
export function hasRatio({ unit }: MeasuredCase): boolean {
  return unit.endsWith('/s')
}

function targetOf({ target }: MeasuredCase): string {
  if (target === null) return ''
  const sign = target.of === 'ratio' ? '×' : ''
  return target.atLeast === undefined ? `≤ ${target.atMost}${sign}` : `≥ ${target.atLeast}${sign}`
}

/** `held` or `missed`, by the median; nothing when there is no target or nothing to hold it against. */
function verdictOf(each: MeasuredCase): string {
  if (each.target === null) return ''
  const reached = median(each.target.of === 'ratio' ? ratiosOf(each) : (Object.values(each.figures)[0] ?? []))
  if (Number.isNaN(reached)) return ''
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = each.target
  return reached >= atLeast && reached <= atMost ? 'held' : `missed (${shown(reached)})`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
