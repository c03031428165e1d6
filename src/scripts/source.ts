/**
 * The files of the scripts folder: which of them are source, and which of those are scripts.
 */
import { relative, sep } from 'node:path'

/** A script file and how to read it and its neighbours. */
export interface ScriptSource {
  /** Real path of the scripts folder. */
  readonly folder: string
  /** File name inside the folder. */
  readonly name: string
  /** Text of a file of the folder, by its path inside the folder. */
  readonly read: (path: string) => Promise<string>
}

/** A file that a script can be made of, by its path inside the folder. */
export function isSource(path: string): boolean {
  return /\.([cm]?[jt]s|json|txt)$/.test(path) && !isHidden(path)
}

/** A file that is a script: directly in the folder, and not a `_shared.ts` or a `types.d.ts`. */
export function isScript(path: string): boolean {
  return /^[^_./][^/]*\.[jt]s$/.test(path) && !path.endsWith('.d.ts')
}

/** In a place that nobody looks into. */
export function isHidden(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.') || part === 'node_modules')
}

/** Path of a file inside a folder, with slashes; null if it is not in there. */
export function pathInside(folder: string, path: string): string | null {
  const inside = relative(folder, path)
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || inside.startsWith(sep)) return null
  return sep === '/' ? inside : inside.replaceAll(sep, '/')
}
