/** Draws a report as SVG: a bar for the median of each side, a whisker for its range, the ratio beside them. */
import { median, shown } from './figures.ts'
import type { MeasuredCase, Report } from './report.ts'
import { hasRatio, ratiosOf } from './table.ts'

const width = 820
const labelWidth = 300
const barsEnd = 700
const barHeight = 16
const colours = ['#0f766e', '#9aa5b1', '#b45309']

/** The picture as the text of an SVG file. Cases of one unit share a scale. */
export function drawReport(report: Report): string {
  const sides = Object.keys(report.versions)
  const caseHeight = sides.length * (barHeight + 4) + 16
  const top = 78
  const height = top + report.cases.length * caseHeight + 34
  const rows = report.cases.map((each, index) => {
    const most = Math.max(
      ...report.cases
        .filter(({ unit }) => unit === each.unit)
        .flatMap(({ figures }) => Object.values(figures).flat()),
      Number.MIN_VALUE,
    )
    return drawCase(
      each,
      sides,
      top + index * caseHeight,
      (figure) => ((barsEnd - labelWidth) * Math.max(0, figure)) / most,
    )
  })
  const legend = sides.map((side, index) => {
    const x = labelWidth + index * 170
    const name = text(x + 18, 61, `${side} ${report.versions[side]}`)
    return `<rect x="${x}" y="50" width="12" height="12" rx="2" fill="${colours[index]}"/>${name}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    '  font-family="system-ui, sans-serif" font-size="13" fill="#1f2933">',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 30, report.title, 'font-size="18" font-weight="600"'),
    ...legend,
    ...rows,
    text(
      16,
      height - 14,
      `Median and range. ${report.machine}, ${report.takenAt}`,
      'font-size="11" fill="#616e7c"',
    ),
    '</svg>\n',
  ].join('\n')
}

function drawCase(
  each: MeasuredCase,
  sides: readonly string[],
  top: number,
  lengthOf: (figure: number) => number,
): string {
  const bars = sides.flatMap((side, index) => {
    const figures = each.figures[side] ?? []
    if (figures.length === 0) return []
    const y = top + index * (barHeight + 4)
    const middle = y + barHeight / 2
    const [low, centre, high] = [Math.min(...figures), median(figures), Math.max(...figures)].map(lengthOf)
    return [
      `<rect x="${labelWidth}" y="${y}" width="${round(centre)}" height="${barHeight}" rx="2" fill="${colours[index]}"/>`,
      `<path d="M${round(labelWidth + low!)} ${middle}H${round(labelWidth + high!)}" stroke="#1f2933" stroke-width="1.5"/>`,
      text(
        round(labelWidth + Math.max(high!, centre!) + 6),
        middle + 4,
        shown(median(figures)),
        'font-size="12"',
      ),
    ]
  })
  const middle = top + (sides.length * (barHeight + 4)) / 2
  const all = ratiosOf(each)
  const ratio = hasRatio(each) && all.length > 0 ? `${shown(median(all))}×` : ''
  return [
    text(16, middle, each.name, 'font-weight="600"'),
    text(16, middle + 16, each.unit, 'font-size="11" fill="#616e7c"'),
    ...bars,
    text(width - 16, middle + 4, ratio, 'font-size="15" font-weight="600" text-anchor="end"'),
  ].join('\n')
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`
}

function round(length = 0): number {
  return Math.round(length * 10) / 10
}
