/**
 * An isolate with what lives in it before a script does, and the entries by which runs get into it.
 */
import { randomBytes } from 'node:crypto'
import ivm from 'isolated-vm'
import { type Caps, codeName } from '../caps.ts'
import type { Gate } from './gate.ts'
import type { SandboxText } from './sandbox-text.ts'
import { Visits } from './visits.ts'

const seedBytes = 32

/** The functions of the prelude. */
const entryNames = ['begin', 'open', 'run', 'runAhead', 'close', 'answer', 'fire'] as const
type Entry = (typeof entryNames)[number]
export type Argument = string | number | boolean
type EntryFunction = (...values: Argument[]) => void

/** What the isolate posts: a kind, then text and numbers. */
export type OnPost = (kind: string, ...values: Argument[]) => void

const latelyMs = 10

export interface Sandbox {
  readonly isDisposed: boolean
  /** Processor time since the isolate was made, at the last visit once it is disposed of. */
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
  /** Whether `lastUsedBytes` is of the last few milliseconds: to measure costs as much as a short run. */
  readonly wasMeasuredLately: boolean
  /** Heap and buffers when they were last measured. */
  readonly lastUsedBytes: number
  measure(): Promise<number>
  /** Of the runs that it was given ahead, it is to begin none that it has not, up to this one. */
  recall(upTo: number): void
  dispose(): void
}

/**
 * Text of 1 KB or more is kept outside the heap by isolated-vm, where only a whole garbage collection frees it:
 * that comes after 64 MB, or when the isolate is full. So each isolate gets its text in pieces.
 */
const pieceLength = 511

function inPieces(value: Argument): Argument | Argument[] {
  if (typeof value !== 'string' || value.length <= pieceLength) return value
  const pieces = []
  for (let at = 0; at < value.length; at += pieceLength) pieces.push(value.slice(at, at + pieceLength))
  return pieces
}

/**
 * @param memoryMb heap of the isolate; isolated-vm wants at least 8
 * @param gate through which isolates go to work
 */
export async function openSandbox(
  text: SandboxText,
  caps: Caps,
  memoryMb: number,
  gate: Gate,
): Promise<Sandbox> {
  const isolate = new ivm.Isolate({
    memoryLimit: Math.max(8, memoryMb),
    onCatastrophicError: (message) => sandbox.onCatastrophe(message),
  })
  const context = await isolate.createContext()
  const make = await text.evaluate(isolate, context)
  const post = new ivm.Callback((kind: string, ...values: Argument[]) => sandbox.onPost(kind, ...values), {
    ignored: true,
  })
  // Isolates have no entropy. One seed is never given twice, so that no two isolates draw the same.
  const seed = randomBytes(seedBytes).toString('hex')
  // Shared with the isolate, which no message reaches while it is at work.
  const recalled = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
  const sharedRecalled = new ivm.ExternalCopy(recalled).copyInto({ release: true })
  const made = await make.apply(undefined, [post, JSON.stringify(caps), seed, sharedRecalled], {
    result: { reference: true },
  })
  const entries = made as ivm.Reference<Record<Entry, EntryFunction>>
  const got = entryNames.map(async (entry) => [entry, await entries.get(entry, { reference: true })] as const)
  const references = Object.fromEntries(await Promise.all(got)) as Record<Entry, ivm.Reference<EntryFunction>>
  const getHeapStatistics = isolate.getHeapStatistics.bind(isolate)
  let lastUsedBytes = 0
  let measuredAtMs = Number.NEGATIVE_INFINITY
  const visits = new Visits(isolate, gate)
  const sandbox: Sandbox = {
    get isDisposed() {
      return isolate.isDisposed
    },
    get cpuMs() {
      return visits.cpuMs
    },
    onPost: () => {},
    onCatastrophe: () => {},
    async enter(entry, values, timeoutMs) {
      const reference = references[entry]
      await visits.make(
        reference.apply.bind(reference, undefined, values.flatMap(inPieces), { timeout: timeoutMs }),
      )
    },
    async evaluate(code, timeoutMs) {
      await visits.make(async () => {
        // The last value of the code must not leave the isolate.
        const compiled = await isolate.compileScript(`${code}\n;undefined`, { filename: codeName })
        await compiled.run(context, { timeout: timeoutMs })
        compiled.release()
      })
    },
    get isFree() {
      return visits.areOver
    },
    get lastUsedBytes() {
      return lastUsedBytes
    },
    get wasMeasuredLately() {
      return performance.now() - measuredAtMs < latelyMs
    },
    async measure() {
      measuredAtMs = performance.now()
      const { used_heap_size, externally_allocated_size } = await visits.make(getHeapStatistics)
      lastUsedBytes = used_heap_size + externally_allocated_size
      return lastUsedBytes
    },
    recall(upTo) {
      recalled[0] = upTo
    },
    dispose() {
      if (!isolate.isDisposed) isolate.dispose()
    },
  }
  return sandbox
}
