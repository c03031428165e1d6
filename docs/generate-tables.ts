/**
 * Writes the tables of settings and callbacks into README.md, between their markers, from the code.
 * `node docs/generate-tables.ts` rewrites them; with `--check` it only says whether they are up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagOf, type SettingName, settingsSchema, variableOf } from '../src/config.ts'
import { callbacks } from '../src/scripts/scripts.ts'

/** The text with its tables as they have to be. Throws if a marker is missing. */
export function withTables(text: string): string {
  return replaceBetween(replaceBetween(text, 'settings', settingsTable()), 'callbacks', callbacksTable())
}

function replaceBetween(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: made by docs/generate-tables.ts -->`, `<!-- /${name} -->`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`Expected the markers "${begin}" and "${end}"`)
  return `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`
}

function settingsTable(): string {
  const defaults = settingsSchema.parse({}) as Record<string, unknown>
  const settings = Object.entries(settingsSchema.shape) as [SettingName, { description?: string }][]
  const rows = settings.map(([name, { description }]) => {
    const flag = flagOf(name)
    return [`\`${name}\``, flag === null ? '' : `\`${flag}\``, valueText(defaults[name]), description ?? '']
  })
  const example = variableOf('stableAge')
  return [
    `Every setting is a key of \`onstable.json\` and a variable such as \`${example}\` for \`stableAge\`; most are flags, too.`,
    '',
    table(['setting', 'flag', 'default', 'meaning'], rows),
  ].join('\n')
}

function callbacksTable(): string {
  const rows = Object.entries(callbacks).map(([name, { tells }]) => [`\`${name}\``, tells])
  return table(['callback', 'called when'], rows)
}

function valueText(value: unknown): string {
  return value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

if (import.meta.main) {
  const file = fileURLToPath(new URL('../README.md', import.meta.url))
  const text = readFileSync(file, 'utf8')
  const wanted = withTables(text)
  if (!process.argv.includes('--check')) {
    writeFileSync(file, wanted)
  } else if (text !== wanted) {
    console.error(
      'The tables of README.md are not those of the code: run "node bin/node24.js docs/generate-tables.ts"',
    )
    process.exitCode = 1
  }
}
