/** A progress bar on the standard error output. */
import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  step(): void
  stop(): void
}

/** @param isShown false: nothing is drawn */
export function startProgress(total: number, isShown: boolean): Progress {
  if (!isShown || total === 0) return { step: () => {}, stop: () => {} }
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} files, {eta_formatted} left', hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  return { step: () => bar.increment(), stop: () => bar.stop() }
}
