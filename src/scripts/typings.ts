/**
 * Lets an editor complete events and host calls in the scripts folder without any set-up.
 */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import { makeFoldersNow } from '../lib/make-folders.ts'

const typings = ['onstable.d.ts', 'events.d.ts', 'globals.d.ts']

const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'preserve',
    types: [],
    strict: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    isolatedModules: true,
    resolveJsonModule: true,
  },
  include: ['**/*', '.onstable/*.d.ts'],
}

/**
 * Copies the typings to `.onstable/` and writes a `tsconfig.json` that finds them, if there is none.
 * @throws what the file system says
 */
export function writeTypings(folder: string, typingsFolder: string): void {
  makeFoldersNow(join(folder, '.onstable'))
  for (const name of typings) copyFileSync(join(typingsFolder, name), join(folder, '.onstable', name))
  try {
    writeFileSync(join(folder, 'tsconfig.json'), `${JSON.stringify(tsconfig, null, 2)}\n`, { flag: 'wx' })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
  }
}
