/** The source files of the project, with what they import. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Import {
  /** As written: `../store/store.ts`, `zod`. */
  readonly specifier: string
  /** Path from the root of the project; null for packages. */
  readonly target: string | null
  readonly isTypeOnly: boolean
}

export interface SourceFile {
  /** From the root of the project, such as `src/api/api.ts`. */
  readonly path: string
  readonly text: string
  /** The text without comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

/** All `.ts` and `.js` files below a folder of the project; none if there is no such folder. */
export function sourceFiles(folder: string): SourceFile[] {
  return filesBelow(join(root, folder)).map((file) => {
    const text = readFileSync(file, 'utf8')
    const code = withoutComments(text)
    return { path: relative(root, file), text, code, imports: importsOf(file, code) }
  })
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .flatMap((entry) => {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : filesBelow(path)
        return /\.[jt]s$/.test(entry.name) ? [path] : []
      })
      .sort()
  } catch {
    return []
  }
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

function importsOf(file: string, code: string): Import[] {
  const found: Import[] = []
  const add = (specifier: string, isTypeOnly: boolean) => {
    const target = specifier.startsWith('.') ? relative(root, resolve(dirname(file), specifier)) : null
    found.push({ specifier, target, isTypeOnly })
  }
  for (const [, , clause, specifier] of code.matchAll(/^(import|export)\s([^'"`;=]*?)\sfrom\s+'([^']+)'/gm)) {
    add(specifier!, isTypeClause(clause!))
  }
  for (const [, specifier] of code.matchAll(/^import\s+'([^']+)'/gm)) add(specifier!, false)
  for (const [, specifier] of code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) add(specifier!, false)
  return found
}

/** `type { A }` and `{ type A, type B }` vanish when the program runs. */
function isTypeClause(clause: string): boolean {
  if (/^type\s/.test(clause)) return true
  const names = /^\{([\s\S]*)\}$/.exec(clause.trim())?.[1]
  if (names === undefined) return false
  const parts = names.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '').every((part) => part.startsWith('type '))
}
