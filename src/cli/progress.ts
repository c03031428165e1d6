/** A progress bar on the standard error output. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  /** @param count 1 if it is not given */
  step(count?: number): void
  stop(): void
}

/**
 * @param what they are, such as "files"
 * @param isShown false: nothing is drawn
 */
export function startProgress(total: number, what: string, isShown: boolean): Progress {
  if (!isShown || total === 0) return { step: () => {}, stop: () => {} }
  const bar = new SingleBar(
    {
      format: `{bar} {value}/{total} ${what}, {eta_formatted} left`,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return { step: (count = 1) => bar.increment(count), stop: () => bar.stop() }
}
