/** What a process and all that it started cost while nothing happens, as `/proc` counts it. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { familyOf } from '../test/support/processes.ts'

/** Of USER_HZ, which has been 100 on every Linux for twenty years. */
const msPerTick = 10

/** Memory of a process and its descendants, in MB: what several share is counted once, in parts (PSS). */
export function proportionalMb(pid: number): number {
  return familyOf(pid).reduce((sum, member) => sum + proportionalMbOf(member.pid), 0)
}

/** Processor time of a process and its descendants over some time, in percent of one core. */
export async function processorPercent(pid: number, overMs: number): Promise<number> {
  const [before, fromMs] = [processorMs(pid), performance.now()]
  await delay(overMs)
  return ((processorMs(pid) - before) / (performance.now() - fromMs)) * 100
}

function proportionalMbOf(pid: number): number {
  const [, kilobytes = '0'] = /^Pss: +(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? []
  return Number(kilobytes) / 1024
}

function processorMs(pid: number): number {
  return familyOf(pid).reduce((sum, member) => {
    // The name, in parentheses, may contain spaces.
    const [, , , , , , , , , , , user = 0, system = 0] = read(`/proc/${member.pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
    return sum + (user + system) * msPerTick
  }, 0)
}

/** Empty if the process has ended since. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
