/**
 * esbuild within limits. It is one process for all builds, written in Go: a source can keep it busy for hours, fill
 * its memory or overflow its stack. A build that does so ends it; others that end with it are begun anew.
 */
import { type BuildOptions, type BuildResult, build, stop, version } from 'esbuild'
import { messageOf } from '../errors.ts'
import { residentMbOfChildren } from '../lib/resident-memory.ts'

const mostMs = 10_000
const mostMb = 512
const lookMs = 50
/** What it may go on holding when a build is over: it gives memory back over minutes, if at all. */
const restMb = 128
/** Others may end the process, too; one that does it each time is the one. */
const tries = 3

/** @throws what `build` throws, an Error with `errors`; an Error without them if esbuild does not come to an end */
export async function buildWithin(options: BuildOptions): Promise<BuildResult> {
  for (let left = tries; ; left--) {
    const { promise, resolve } = Promise.withResolvers<string>()
    const stopWatching = watch(resolve)
    const beganMs = performance.now()
    try {
      const result = await Promise.race([build(options), promise])
      if (typeof result !== 'string') {
        const wasShort = performance.now() - beganMs < lookMs
        if (!wasShort && compilerMb() > restMb) await stop()
        return result
      }
      await stop()
      throw new Error(result)
    } catch (error) {
      if (!isEnded(error)) throw error
      // It does not begin anew by itself.
      await stop()
      if (left > 1) continue
      throw new Error('The compiler ended while it was at work on this file', { cause: error })
    } finally {
      stopWatching()
    }
  }
}

/** Ends the process of esbuild until the next build, which is begun anew if it is at work just now. */
export function restCompiler(): void {
  void stop()
}

/** @param onLimit told which limit was met */
function watch(onLimit: (message: string) => void): () => void {
  const endsAt = performance.now() + mostMs
  const timer = setInterval(() => {
    if (performance.now() > endsAt) onLimit(`It took longer than ${mostMs / 1_000} s to compile`)
    else if (compilerMb() > mostMb) onLimit(`It took more than ${mostMb} MB of memory to compile`)
  }, lookMs)
  return () => clearInterval(timer)
}

const compilerMb = () => residentMbOfChildren(`--service=${version}`)

function isEnded(error: unknown): boolean {
  return /^The service (was stopped|is no longer running)/.test(messageOf(error))
}
