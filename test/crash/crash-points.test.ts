/**
 * The server is killed at each named point between two steps of the road, started again, and given to the
 * checker.
 */
import { expect, it } from 'vitest'
import { type CrashPoint, crashPoints } from '../../src/lib/crash-point.ts'
import { check } from '../campaign/check.ts'
import { observe } from '../campaign/observe.ts'
import { startSession } from '../campaign/session.ts'

/** At which visit the server is killed: not always the first, so that something is there already. */
const visits: Partial<Record<CrashPoint, readonly number[]>> = {
  'rows-committed': [1, 4],
  answered: [2],
  'window-fired': [1, 2],
  'tick-committed': [1],
  'run-started': [1, 6],
  'key-value-held': [3],
  settled: [1, 5],
}
const cases = crashPoints.flatMap((point) => (visits[point] ?? [1]).map((visit) => `${point}:${visit}`))

// Most of the time each waits for windows: a few wait together.
it.concurrent.each(cases)(
  'after a kill at %s nothing acknowledged is lost, doubled or left half done',
  async (crashAt) => {
    await using session = await startSession({ agesMs: { Patient: 300, Study: 300, Series: 300 }, crashAt })
    const { server, history } = session
    for (const instance of ['1', '2']) await session.post({ study: 'S1', series: 'A', instance })
    await session.store([
      { study: 'S1', series: 'B', instance: '3' },
      // Large enough to be synced at once.
      { study: 'S1', series: 'B', instance: '4', pixelBytes: 2_200_000 },
    ])
    await session.post({ patient: 'P2', study: 'S2', instance: '5' })
    await session.untilIdle()
    await session.post({ study: 'S1', series: 'A', instance: '6' })
    await session.untilIdle()
    await session.deleteStudy({ patient: 'P2', study: 'S2', instance: '5' })
    await session.untilIdle()

    expect(server.lives).toHaveLength(2)
    expect(session.firstExit()).toEqual({ code: null, signal: 'SIGKILL' })
    const seen = await observe(server.url, server.data)
    expect(check(history, seen)).toEqual([])
    expect(seen.rest.instances.size).toBe(5)
  },
)
