/** What a benchmark finds: figures by case and side, with what they were taken on. This is its JSON, too. */
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { z } from 'zod'

const target = z.strictObject({
  of: z.enum(['ratio', 'value']),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
})

const measuredCase = z.strictObject({
  name: z.string(),
  unit: z.string(),
  /** Side to one figure per round; figures of the same place were taken in turn. */
  figures: z.record(z.string(), z.array(z.number())),
  /** Of the ratio of the first side to the second, or of the first side's figure. */
  target: target.nullable(),
})

export const reportSchema = z.strictObject({
  title: z.string(),
  takenAt: z.string(),
  machine: z.string(),
  /** Side to version. */
  versions: z.record(z.string(), z.string()),
  method: z.array(z.string()),
  cases: z.array(measuredCase),
})

export type Report = z.infer<typeof reportSchema>
export type MeasuredCase = z.infer<typeof measuredCase>
export type Target = z.infer<typeof target>

export function readReport(path: string): Report {
  return reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
}

/** The figures of one report while they are taken; cases keep the order in which they first appear. */
export class Notebook {
  readonly versions: Record<string, string> = {}
  readonly #cases = new Map<string, MeasuredCase>()

  note(name: string, unit: string, side: string, figure: number, target: Target | null = null): void {
    const known = this.#cases.get(name) ?? { name, unit, figures: {}, target }
    this.#cases.set(name, known)
    known.figures[side] = [...(known.figures[side] ?? []), figure]
  }

  get cases(): MeasuredCase[] {
    return [...this.#cases.values()]
  }
}

/** The machine in a line: processors, memory, kernel, and the file system under the data folders. */
export async function describeMachine(): Promise<string> {
  const processors = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  const { type } = await statfs(tmpdir())
  const fileSystem = fileSystems.get(type) ?? `file system 0x${type.toString(16)}`
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${processors.length} × ${model}, ${memoryGb} GB, Linux ${release()}, data on ${fileSystem}`
}

const fileSystems = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'XFS'],
  [0x9123683e, 'Btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs (memory: syncs cost nothing here)'],
])
