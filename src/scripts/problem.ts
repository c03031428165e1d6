/**
 * What is wrong with a script, and where: the one form in which every stage of loading says it.
 */
import { fault, messageOf, OnStableError } from '../errors.ts'

/** Lines and columns count from 1; null where the place is not known. */
export interface ScriptProblem {
  readonly message: string
  /** Relative to the scripts folder. */
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
}

export interface DatedProblem extends ScriptProblem {
  readonly atMs: number
}

/** The error with which a version of a script is refused. */
export function refused(problem: ScriptProblem): OnStableError {
  return fault('script-refused', problem.message, { cause: problem })
}

/** The problem behind anything that loading threw; an error of this system is a problem of the file, too. */
export function problemOf(thrown: unknown, file: string): ScriptProblem {
  const isOfScript = thrown instanceof OnStableError && thrown.code === 'script-refused'
  const cause = isOfScript ? thrown.cause : undefined
  return {
    message: messageOf(thrown),
    file: textOf(cause, 'file') ?? file,
    line: numberOf(cause, 'line'),
    column: numberOf(cause, 'column'),
  }
}

/** `forward.ts:3:14: Expected …`, as editors and terminals link it. */
export function problemText({ message, file, line, column }: ScriptProblem): string {
  const place = [file, line, column].filter((part) => part !== null).join(':')
  return place === '' ? message : `${place}: ${message}`
}

/** Where a source text exports a name; the start of the file if that cannot be seen. */
export function placeOfExport(source: string, name: string): { line: number; column: number } {
  // No pattern: source and name are the script's, and would decide how long it takes.
  for (const [index, text] of source.split('\n').entries()) {
    const exported = indexOfWord(text, 'export', 0)
    const at = exported < 0 ? -1 : indexOfWord(text, name, exported)
    if (at >= 0) return { line: index + 1, column: at + 1 }
  }
  return { line: 1, column: 1 }
}

function indexOfWord(text: string, word: string, from: number): number {
  const isPart = (character: string | undefined) => character !== undefined && /[\w$]/.test(character)
  for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isPart(text[at - 1]) && !isPart(text[at + word.length])) return at
  }
  return -1
}

function textOf(value: unknown, key: string): string | null {
  const found = propertyOf(value, key)
  return typeof found === 'string' && found !== '' ? found : null
}

function numberOf(value: unknown, key: string): number | null {
  const found = propertyOf(value, key)
  return typeof found === 'number' ? found : null
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}
