/**
 * The callback scripts of administrators: files in, versions in force out, reloaded the moment a file is saved.
 * Door of the folder.
 */
export type { AskedScript, MissingGrants, ScriptInForce } from './bring-up.ts'
export { askVersionOf } from './bring-up.ts'
export {
  type AskName,
  askNames,
  type CallbackName,
  callbacks,
  isCallback,
  subscriptionsOf,
} from './callbacks.ts'
export { type CheckParts, checkScriptFile, type ScriptCheck } from './check-file.ts'
export { type Library, type LibraryParts, openLibrary } from './library.ts'
export type { Manifest, Needs } from './manifest.ts'
export { newScriptText } from './new-script.ts'
export { problemText, type ScriptProblem } from './problem.ts'
export type { ScriptStatus } from './status.ts'
export type { Forgotten } from './stored-script.ts'
