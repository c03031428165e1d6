/**
 * Makes one program of a script file and all that it imports. Nothing of it is run here.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { BuildFailure, BuildResult } from 'esbuild'
import { buildWithin } from './build.ts'
import { forIsolates } from './build-options.ts'
import { confineImports } from './imports.ts'
import { refused } from './problem.ts'
import type { Content } from './saved-file.ts'
import type { ScriptSource } from './source.ts'
import { webGlobalsIn } from './web-globals.ts'

export interface CompiledScript {
  /** Names the version: the first 16 digits of the SHA-256 of the script's name and code. */
  readonly hash: string
  /** A classic script that defines the global `__exports`. */
  readonly code: string
  readonly sourceMap: string
  /** The files of the folder that it is made of, by their paths inside the folder. */
  readonly inputs: readonly string[]
}

/** @throws `script-refused` with a `ScriptProblem` as cause: what does not compile, and where */
export async function compileScript(source: ScriptSource): Promise<CompiledScript> {
  const compiled = await bundle(source, [])
  // Those take longer to read than everything else.
  const files = webGlobalsIn(compiled.code)
  return files.length === 0 ? compiled : bundle(source, files)
}

/** The same, of the files as they were last saved. */
export function compileSaved({
  folder,
  name,
  content,
}: Omit<ScriptSource, 'read'> & { content(path: string): Promise<Content> }): Promise<CompiledScript> {
  const read = async (path: string) => {
    const found = await content(path)
    if (found === null) throw new Error('It is gone')
    if ('unreadable' in found) throw new Error(found.unreadable)
    return found.text
  }
  return compileScript({ folder, name, read })
}

async function bundle(source: ScriptSource, inject: string[]): Promise<CompiledScript> {
  const { folder, name } = source
  const result = await buildWithin({
    ...forIsolates,
    entryPoints: [join(folder, name)],
    absWorkingDir: folder,
    outfile: join(folder, '.program.js'),
    format: 'iife',
    globalName: '__exports',
    inject,
    define: { 'process.env.NODE_ENV': '"production"' },
    sourcemap: 'external',
    charset: 'utf8',
    // The tsconfig.json of the folder is for editors.
    tsconfigRaw: '{}',
    metafile: true,
    plugins: [confineImports(source)],
  }).catch((error: unknown) => {
    throw refusalOf(error as BuildFailure, name)
  })
  return compiledOf(result, source)
}

function compiledOf(result: BuildResult, { name }: ScriptSource): CompiledScript {
  const textOf = (suffix: string) => result.outputFiles!.find(({ path }) => path.endsWith(suffix))!.text
  // esbuild puts a function of its own in the place of `require`, but there is none. As long as what it replaces.
  const code = textOf('.js').replaceAll('typeof __require', 'typeof   require')
  return {
    hash: createHash('sha256').update(`${name}\0${code}`).digest('hex').slice(0, 16),
    code,
    sourceMap: textOf('.js.map'),
    inputs: Object.keys(result.metafile!.inputs).filter((path) => !path.startsWith('..')),
  }
}

function refusalOf(failure: BuildFailure, name: string): unknown {
  const [first, ...others] = failure.errors ?? []
  if (first === undefined) return failure
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return refused({
    message: `${first.text}${more}`,
    file: first.location?.file ?? name,
    line: first.location?.line ?? null,
    // esbuild counts columns from 0.
    column: first.location === null ? null : first.location.column + 1,
  })
}
