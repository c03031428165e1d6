/** Runs the checker on small worlds in each of which one thing is broken. */
import { expect, it } from 'vitest'
import { check } from './check.ts'
import { makeSmallWorld, type SmallWorld } from './small-world.ts'

export interface BrokenWorld {
  /** In plain words. */
  readonly rule: string
  readonly breakIt: (world: SmallWorld) => unknown
  /** What the checker then has to say, in its order, and nothing else. */
  readonly violations: readonly RegExp[]
}

export function itFinds(worlds: readonly BrokenWorld[]): void {
  it.each(worlds)('$rule', ({ breakIt, violations }) => {
    const world = makeSmallWorld()
    breakIt(world)
    expect(check(world.history, world.seen)).toEqual(violations.map((text) => expect.stringMatching(text)))
  })
}

export function broken(
  rule: string,
  breakIt: BrokenWorld['breakIt'],
  ...violations: readonly RegExp[]
): BrokenWorld {
  return { rule, breakIt, violations }
}

/** Takes the first that is meant out of a list. */
export function drop<T>(items: T[], isMeant: (item: T) => boolean): T {
  return items.splice(items.findIndex(isMeant), 1)[0]!
}

export function pick<T>(items: readonly T[], isMeant: (item: T) => boolean): T {
  return items.find(isMeant)!
}
