/**
 * The functions that a script exports: the callbacks among them, and those that were probably meant as one.
 */
import { editDistance, meant } from '../lib/nearest.ts'
import { type CallbackName, callbacks, isCallback } from './callbacks.ts'

const known = Object.keys(callbacks)
/** To compare names takes its time, and a file of a thousand exports is not one that was misspelt. */
const mostLookedAt = 200

/** A function that looks like a callback and is none, with what to say of it; null: there is none. */
export function misspelt(functions: readonly string[]): { name: string; message: string } | null {
  const others = functions.filter((name) => !isCallback(name)).slice(0, mostLookedAt)
  const name = others.find(looksLikeCallback)
  if (name === undefined) return null
  return { name, message: `Callback "${name}" is unknown: ${meant(name, known)}` }
}

/** The callbacks among the exported functions, in the order of the catalogue. */
export function callbacksAmong(functions: readonly string[]): CallbackName[] {
  return known.filter(isCallback).filter((name) => functions.includes(name))
}

function looksLikeCallback(name: string): boolean {
  if (name.startsWith('on')) return true
  return known.some((callback) => isNear(name.toLowerCase(), callback.toLowerCase()))
}

function isNear(from: string, to: string): boolean {
  return Math.abs(from.length - to.length) <= 2 && editDistance(from, to) <= 2
}
