/**
 * What a script may import: files of its own folder and npm packages that need nothing of Node.
 */
import { isBuiltin } from 'node:module'
import { sep } from 'node:path'
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { messageOf } from '../errors.ts'
import { pathInside, type ScriptSource } from './source.ts'
import { bundleWebGlobals, isWebGlobals } from './web-globals.ts'

/** An esbuild plugin that reads the folder's files by `read` and refuses all other places. */
export function confineImports({ folder, name, read }: ScriptSource): Plugin {
  return {
    name: 'confine-imports',
    setup(build) {
      build.onResolve({ filter: /^/ }, (args) => {
        // Without effects, it is left out where its name was only in a text.
        if (isWebGlobals(args.path)) return { path: args.path, sideEffects: false }
        if (args.kind === 'entry-point' || args.pluginData === asked) return undefined
        return resolveImport(build, folder, args)
      })
      build.onLoad({ filter: /^/, namespace: 'file' }, async ({ path }) => {
        if (isWebGlobals(path)) return { contents: await bundleWebGlobals(path), loader: 'js' }
        const inside = pathInside(folder, path)
        if (inside === null || isOfPackage(path)) return undefined
        try {
          return { contents: withoutSourceMap(await read(inside)), loader: 'default' }
        } catch (error) {
          const what = inside === name ? 'The script' : `"${inside}"`
          return { errors: [{ text: `${what} cannot be read: ${messageOf(error)}` }] }
        }
      })
    },
  }
}

/** Source maps of files, which esbuild would read from wherever the comment says. */
function withoutSourceMap(text: string): string {
  return text.replace(/([#@]) sourceMappingURL=(?!data:)/g, '$1 sourceMappingURL ')
}

/** Marks the questions of this plugin to esbuild, so that it does not answer them itself. */
const asked = Symbol('asked by confine-imports')

async function resolveImport(
  build: PluginBuild,
  folder: string,
  args: OnResolveArgs,
): Promise<OnResolveResult> {
  const { path, importer, resolveDir, kind } = args
  if (path === 'onstable') {
    return refuse(
      '"onstable" has only types: write "import type"; the host comes as the last argument of a callback',
    )
  }
  if (path.startsWith('node:')) return refuse(notForScripts(path))
  const resolved = await build.resolve(path, { importer, resolveDir, kind, pluginData: asked })
  if (resolved.errors.length > 0) return refuse(isBuiltin(path) ? notForScripts(path) : unknown(path))
  if (resolved.external)
    return refuse(`"${path}" is not a file: a script imports files of its folder and npm packages`)
  if (resolved.namespace === 'file' && pathInside(folder, resolved.path) === null) {
    const isPackage = isOfPackage(resolved.path) && (!isPath(path) || isOfPackage(importer))
    if (!isPackage) return refuse(`"${path}" is outside the scripts folder: move it to a subfolder of that`)
  }
  return resolved
}

function refuse(text: string): OnResolveResult {
  return { errors: [{ text }] }
}

function notForScripts(path: string): string {
  return `"${path}" is a module of Node, which scripts do not have: ask the host instead (get, send, http, hash, kv)`
}

function unknown(path: string): string {
  if (isPath(path)) return `"${path}" is not there: expected a file of the scripts folder`
  return `Package "${path}" is not installed: run "npm install" in the scripts folder or above it`
}

function isPath(specifier: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$|[a-z]:)/i.test(specifier)
}

function isOfPackage(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`)
}
