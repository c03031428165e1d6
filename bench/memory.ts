/**
 * Whether memory stays where it is: after a hundred thousand runs, and after ten thousand versions of a script, each
 * loaded beside the one before and put in its place.
 */
import { packageVersion } from '../src/lib/version.ts'
import { createLog } from '../src/log.ts'
import { type Runtime, startRuntime } from '../src/runtime/runtime.ts'
import { familyOf } from '../test/support/processes.ts'
import { median, shown } from './figures.ts'
import type { Rounds } from './ingest.ts'
import { largeScript } from './large-script.ts'
import type { Notebook } from './report.ts'
import { makeProgram, run, runAll } from './runs.ts'

export const memoryMethod = [
  'Resident memory of this process, which holds the runtime of the server, and of the child processes of the sandbox.',
  'Runs: 100,000 with a 2 KB event and one host call, over four scripts. Reloads: 10,000 versions of a 20 KB script,',
  'each loaded, run once, and put in the place of the one before, which is unloaded. Each is done once without looking,',
  'until everything has been compiled and the heaps are as large as they get, and then again, looked at a hundred',
  'times: "before" is the median of the first two tenths, "after" that of the last two.',
]

const looks = 100

/** Does both, in each round, and notes the memory before and after. */
export async function measureMemory(notebook: Notebook, { pairs, isQuick }: Rounds): Promise<void> {
  notebook.versions.OnStable = packageVersion()
  const counts = isQuick ? { runs: 4_000, reloads: 400 } : { runs: 100_000, reloads: 10_000 }
  for (let round = 1; round <= pairs; round++) {
    await using runtime = await startRuntime({ log: createLog('silent') })
    const source = 'export async function onChange(event, host) { await host.get("/system") }'
    const programs = Array.from({ length: 4 }, () => makeProgram(source))
    for (const program of programs) await runtime.load(program)
    const says = (text: string) => console.error(`round ${round}/${pairs}, ${text}`)
    const runsEach = counts.runs / looks
    await watch(notebook, `${shown(counts.runs)} runs`, says, () =>
      runAll(programs.length, (script) => run(runtime, programs[script]!), runsEach),
    )
    const reloadsEach = counts.reloads / looks
    await watch(notebook, `${shown(counts.reloads)} reloads`, says, (look) =>
      reload(runtime, reloadsEach, look * reloadsEach),
    )
  }
}

async function watch(
  notebook: Notebook,
  name: string,
  says: (text: string) => void,
  work: (look: number) => Promise<unknown>,
): Promise<void> {
  const seenMb: number[] = []
  for (let look = 1; look <= looks; look++) await work(look)
  for (let look = 1; look <= looks; look++) {
    await work(looks + look)
    seenMb.push(familyMb())
    if (look % 10 === 0) says(`${name}, ${look} %: ${shown(seenMb.at(-1)!)} MB`)
  }
  const [before, after] = [median(seenMb.slice(0, 20)), median(seenMb.slice(80))]
  notebook.note(`${name}, before`, 'MB', 'OnStable', before)
  notebook.note(`${name}, after`, 'MB', 'OnStable', after)
  notebook.note(`${name}, more`, '%', 'OnStable', (after / before - 1) * 100, { of: 'value', atMost: 10 })
}

/** @param from number of the first version: each is another text */
async function reload(runtime: Runtime, times: number, from: number): Promise<void> {
  let inForce: string | null = null
  for (let each = 0; each < times; each++) {
    const next = makeProgram(largeScript(from + each, 'onChange(event) { return judge(event) }'))
    await runtime.load(next)
    await run(runtime, next)
    if (inForce !== null) await runtime.unload(inForce)
    inForce = next.version
  }
  if (inForce !== null) await runtime.unload(inForce)
}

function familyMb(): number {
  return familyOf(process.pid).reduce((sum, { residentMb }) => sum + residentMb, 0)
}
