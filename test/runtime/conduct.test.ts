/** When a version that ends its process has to leave the others, and when it is suspended. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Conduct } from '../../src/runtime/conduct.ts'

const minuteMs = 60_000

describe('a version that ends its process', () => {
  let nowMs: number
  let conduct: Conduct
  beforeEach(() => {
    nowMs = 1_000
    conduct = new Conduct(() => nowMs)
  })
  const kills = (count: number) => Array.from({ length: count }, () => conduct.killed('v'))

  it('may stay once, and moves into one of its own at the second time within ten minutes', () => {
    expect(kills(1)).toEqual(['stays'])
    expect(conduct.isAlone('v')).toBe(false)
    nowMs += 11 * minuteMs
    expect(kills(1)).toEqual(['stays'])
    nowMs += 9 * minuteMs
    expect(kills(1)).toEqual(['moves'])
    expect(conduct.isAlone('v')).toBe(true)
    expect(conduct.isAlone('other')).toBe(false)
  })

  it('is suspended after five times in a row in its own', () => {
    expect(kills(7)).toEqual(['stays', 'moves', 'stays', 'stays', 'stays', 'stays', 'suspend'])
  })

  it('is not suspended while runs between them end well, unless it is twenty times an hour', () => {
    kills(2)
    const verdicts = Array.from({ length: 20 }, () => {
      conduct.endedWell('v')
      nowMs += minuteMs
      return conduct.killed('v')
    })
    expect(verdicts.slice(0, -1)).toEqual(Array(19).fill('stays'))
    expect(verdicts.at(-1)).toBe('suspend')
  })

  it('may end it as often as that over a longer time', () => {
    kills(2)
    for (let count = 0; count < 100; count++) {
      conduct.endedWell('v')
      nowMs += 4 * minuteMs
      expect(conduct.killed('v')).toBe('stays')
    }
  })

  it('begins with a clean record after it was suspended, but stays alone', () => {
    kills(7)
    expect(conduct.isAlone('v')).toBe(true)
    expect(kills(5)).toEqual(['stays', 'stays', 'stays', 'stays', 'suspend'])
  })

  it('has no record any more once it is gone', () => {
    kills(6)
    conduct.forget('v')
    expect(conduct.isAlone('v')).toBe(false)
    expect(kills(2)).toEqual(['stays', 'moves'])
  })
})

describe('a version that is stopped at a limit of time', () => {
  let nowMs = 0
  const conduct = new Conduct(() => nowMs)

  it('counts as looping from the third time within ten minutes on that it was at work', () => {
    expect([1, 2].map(() => conduct.wasStopped('v', 1_000))).toEqual([false, false])
    nowMs += 11 * minuteMs
    expect([1, 2].map(() => conduct.wasStopped('v', 1_000))).toEqual([false, false])
    expect(conduct.isLooping('v')).toBe(false)
    nowMs += 9 * minuteMs
    expect(conduct.wasStopped('v', 1_000)).toBe(true)
    expect(conduct.isLooping('v')).toBe(true)
    expect(conduct.isLooping('other')).toBe(false)
    expect(conduct.wasStopped('v', 1_000)).toBe(false)
    expect(conduct.isAlone('v')).toBe(false)
  })

  it('stays with those when it ends their process, until it is to be suspended', () => {
    expect([1, 2, 3, 4, 5].map(() => conduct.killed('v'))).toEqual([
      ...['stays', 'stays', 'stays', 'stays'],
      'suspend',
    ])
    expect([conduct.isAlone('v'), conduct.isLooping('v')]).toEqual([false, true])
  })

  it('does so until it is gone, and begins with a clean record then', () => {
    conduct.endedWell('v')
    expect(conduct.isLooping('v')).toBe(true)
    conduct.forget('v')
    expect(conduct.isLooping('v')).toBe(false)
    expect([1, 2].map(() => conduct.wasStopped('v', 1_000))).toEqual([false, false])
  })

  it('does not if it only waited', () => {
    expect(Array.from({ length: 10 }, () => conduct.wasStopped('w', 12))).not.toContain(true)
  })
})
