/**
 * An isolate with what lives in it before a script does: lockdown, platform, prelude and host.
 */
import { readFileSync } from 'node:fs'
import ivm from 'isolated-vm'
import { type Caps, codeName } from '../caps.ts'

const sandboxFiles = ['lockdown', 'platform', 'text', 'host', 'prelude'] as const
export type SandboxSources = Readonly<Record<(typeof sandboxFiles)[number], string>>

/** The functions of the prelude. */
const entryNames = ['begin', 'open', 'run', 'runAhead', 'close', 'answer', 'fire'] as const
type Entry = (typeof entryNames)[number]
export type Argument = string | number | boolean
type EntryFunction = (...values: Argument[]) => void

/** What the isolate posts: a kind, then text and numbers. */
export type OnPost = (kind: string, ...values: Argument[]) => void

export interface Sandbox {
  readonly isDisposed: boolean
  /** Processor time since the isolate was made. */
  readonly cpuMs: number
  /** Where posts go. */
  onPost: OnPost
  /** Called when the isolate's thread is lost: only the end of the process frees it. */
  onCatastrophe: (message: string) => void
  /** Calls a function of the prelude; rejects with what isolated-vm says when a limit is met. */
  enter(entry: Entry, values: Argument[], timeoutMs: number): Promise<void>
  /** Evaluates the code of a script. */
  evaluate(code: string, timeoutMs: number): Promise<void>
  /** No entry is in it or waits for it. */
  readonly isFree: boolean
  /** Whether `usedBytes` would be a measurement of the last millisecond. */
  readonly wasMeasuredLately: boolean
  /** The last measurement that has come in. */
  readonly lastUsedBytes: number
  /** Heap and buffers; measured anew after a millisecond, since for a short run that costs as much as the run. */
  usedBytes(): Promise<number>
  dispose(): void
}

/** The text that lives in every isolate, from the folder `sandbox`. */
export function readSandboxSources(): SandboxSources {
  const read = (name: string) => readFileSync(new URL(`../../../sandbox/${name}.js`, import.meta.url), 'utf8')
  return Object.fromEntries(sandboxFiles.map((name) => [name, read(name)])) as unknown as SandboxSources
}

/** @param memoryMb heap of the isolate; isolated-vm wants at least 8 */
export async function openSandbox(sources: SandboxSources, caps: Caps, memoryMb: number): Promise<Sandbox> {
  const isolate = new ivm.Isolate({
    memoryLimit: Math.max(8, memoryMb),
    onCatastrophicError: (message) => sandbox.onCatastrophe(message),
  })
  const context = await isolate.createContext()
  const evaluateOwn = (name: keyof SandboxSources) =>
    context.eval(`'use strict';${sources[name]}`, { filename: `onstable:${name}`, reference: true })
  await evaluateOwn('lockdown')
  await evaluateOwn('platform')
  const makeText = await evaluateOwn('text')
  const makeHost = await evaluateOwn('host')
  const prelude = await evaluateOwn('prelude')
  const post = new ivm.Callback((kind: string, ...values: Argument[]) => sandbox.onPost(kind, ...values), {
    ignored: true,
  })
  const makers = [makeText.derefInto(), makeHost.derefInto()]
  const made = await prelude.apply(undefined, [post, JSON.stringify(caps), ...makers], {
    result: { reference: true },
  })
  const entries = made as ivm.Reference<Record<Entry, EntryFunction>>
  const references = {} as Record<Entry, ivm.Reference<EntryFunction>>
  for (const entry of entryNames) {
    references[entry] = await entries.get(entry, { reference: true })
  }
  let lastUsedBytes = 0
  const measure = async () => {
    const { used_heap_size, externally_allocated_size } = await isolate.getHeapStatistics()
    lastUsedBytes = used_heap_size + externally_allocated_size
    return lastUsedBytes
  }
  let measured: { atMs: number; bytes: Promise<number> } | null = null
  let entered = 0
  const sandbox: Sandbox = {
    get isDisposed() {
      return isolate.isDisposed
    },
    get cpuMs() {
      return isolate.isDisposed ? 0 : Number(isolate.cpuTime) / 1e6
    },
    onPost: () => {},
    onCatastrophe: () => {},
    async enter(entry, values, timeoutMs) {
      entered++
      try {
        await references[entry].apply(undefined, values, { timeout: timeoutMs })
      } finally {
        entered--
      }
    },
    async evaluate(code, timeoutMs) {
      // The last value of the code must not leave the isolate.
      const compiled = await isolate.compileScript(`${code}\n;undefined`, { filename: codeName })
      await compiled.run(context, { timeout: timeoutMs })
      compiled.release()
    },
    get isFree() {
      return entered === 0
    },
    get lastUsedBytes() {
      return lastUsedBytes
    },
    get wasMeasuredLately() {
      return measured !== null && performance.now() - measured.atMs < 1
    },
    usedBytes() {
      if (measured === null || !sandbox.wasMeasuredLately) {
        measured = { atMs: performance.now(), bytes: measure() }
      }
      return measured.bytes
    },
    dispose() {
      if (!isolate.isDisposed) isolate.dispose()
    },
  }
  return sandbox
}
