/**
 * Named places between two steps of the road where a test can end the process as a power cut would.
 * Outside tests the name is null and reaching a point does nothing.
 */

/** Every point, in the order in which the road passes them. */
export const crashPoints = [
  'file-written',
  'file-synced',
  'folder-synced',
  'rows-written',
  'journal-synced',
  'rows-committed',
  'answered',
  'window-fired',
  'tick-committed',
  'deliveries-made',
  'delivery-leased',
  'run-started',
  'key-value-held',
  'run-ended',
  'settle-written',
  'settled',
  'rows-removed',
  'file-unlinked',
] as const
export type CrashPoint = (typeof crashPoints)[number]

/** Says that the road has come to a point. */
export type ReachPoint = (point: CrashPoint) => void

/**
 * @param armed `point` or `point:n`: the process kills itself the n-th time (first: 1) it comes there
 * @returns the function to call at each point
 */
export function crashPointReacher(armed: string | null): ReachPoint {
  if (armed === null || armed === '') return () => {}
  const [name, count] = armed.split(':')
  let left = Number(count ?? 1)
  return (point) => {
    if (point === name && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
