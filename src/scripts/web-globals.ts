/**
 * The files of globals that browsers and Node have and isolates have not. What of them a script names becomes
 * part of its program.
 */
import { fileURLToPath } from 'node:url'
import { buildWithin } from './build.ts'
import { forIsolates } from './build-options.ts'

const fileOf = (name: string) => fileURLToPath(new URL(`../../sandbox/${name}.js`, import.meta.url))

const families = [
  { names: /\b(URL|URLSearchParams)\b/, file: fileOf('web-url') },
  { names: /\b(TextDecoder|TextEncoder)\b/, file: fileOf('web-encoding') },
  { names: /\bcrypto\b/, file: fileOf('web-crypto') },
]

/** The files of those whose names a program has, if only in a text. */
export function webGlobalsIn(code: string): string[] {
  return families.filter(({ names }) => names.test(code)).map(({ file }) => file)
}

export function isWebGlobals(path: string): boolean {
  return families.some(({ file }) => file === path)
}

/** Such a file with all that it imports, in one text. */
export async function bundleWebGlobals(file: string): Promise<string> {
  // By itself: to ask a plugin about each of hundreds of imports would take fifteen times as long.
  const result = await buildWithin({
    ...forIsolates,
    entryPoints: [file],
    format: 'esm',
    sourcemap: 'inline',
  })
  return result.outputFiles![0]!.text
}
