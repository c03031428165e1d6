/**
 * The code of a child as one text: to read a dozen files and strip their types took longer than all else at its start,
 * and what need not be read can be kept out of its sight.
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Shown by `ps`, too. */
export const entryPath = fileURLToPath(new URL('./child/entry.ts', import.meta.url))

/** A CommonJS program, which finds what it needs from where its files are. */
export async function childCode(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entryPath],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    external: ['isolated-vm'],
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(entryPath).href) },
    banner: {
      js: `var require = process.getBuiltinModule('node:module').createRequire(${JSON.stringify(entryPath)});`,
    },
    tsconfigRaw: '{}',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
