/**
 * What lives in every isolate before a script does, from the folder `sandbox`, as one script. What V8 makes of it for
 * the first isolate of a process, the others take over.
 */
import { readFileSync } from 'node:fs'
import type ivm from 'isolated-vm'

/** They change the globals; in the order in which they do. */
const firstFiles = ['lockdown', 'platform', 'clone'] as const
/** Each gives a function that makes a part of the prelude; in the order in which the prelude takes them. */
const partFiles = ['verdict', 'show', 'text', 'console', 'abort', 'calls', 'host'] as const

/**
 * @param post what the isolate posts goes there: a kind, then text and numbers
 * @param recalled one number, which may change at any time: up to which run none is to be begun
 */
type MakePrelude = (post: unknown, capsJson: string, seed: string, recalled: unknown) => unknown

export class SandboxText {
  readonly #text: string
  #compiled: ivm.ExternalCopy<ArrayBuffer> | null = null

  constructor() {
    const parts = partFiles.map((name) => `(${expressionIn(name)})`)
    const prelude = `(${expressionIn('prelude')})(post, capsJson, seed, recalled, ${parts.join(', ')})`
    const first = firstFiles.map((name) => `(${expressionIn(name)});`)
    this.#text = `'use strict';${first.join('')}(post, capsJson, seed, recalled) => ${prelude}`
  }

  /** Evaluates it in a new isolate. @returns the function that makes the prelude's entries */
  async evaluate(isolate: ivm.Isolate, context: ivm.Context): Promise<ivm.Reference<MakePrelude>> {
    const known = this.#compiled
    const compiled: ivm.Script & ivm.CachedDataResult = await isolate.compileScript(this.#text, {
      filename: 'onstable:sandbox',
      ...(known === null ? { produceCachedData: true } : { cachedData: known }),
    })
    this.#compiled ??= compiled.cachedData ?? null
    const make = await compiled.run(context, { reference: true })
    compiled.release()
    return make
  }
}

/** Each file is one expression, behind a semicolon that begins a line. */
function expressionIn(name: string): string {
  const file = new URL(`../../../sandbox/${name}.js`, import.meta.url)
  return readFileSync(file, 'utf8').replace(/^;/m, '')
}
