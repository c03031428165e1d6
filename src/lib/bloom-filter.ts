/**
 * Which texts were surely never added: a Bloom filter that grows, in two to four bytes for each text.
 * B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970; two hashes serve for all
 * (A. Kirsch, M. Mitzenmacher, 2006).
 */

const bitsPerText = 16
const hashes = 4
const firstCapacity = 1 << 16

/** Of a filter that is full no text more is taken; the next has twice the room. */
interface Layer {
  readonly bits: Uint32Array
  left: number
}

export class BloomFilter {
  readonly #layers: Layer[] = []

  /** False: it was surely not added. Of those that were not, one in a hundred or so is taken for one that was. */
  mayHave(text: string): boolean {
    const [one, other] = hashesOf(text)
    return this.#layers.some(({ bits }) => hasAll(bits, one, other))
  }

  /** Adds it, unless it may be there already. @returns whether it was surely not there */
  add(text: string): boolean {
    const [one, other] = hashesOf(text)
    if (this.#layers.some(({ bits }) => hasAll(bits, one, other))) return false
    let layer = this.#layers.at(-1)
    if (layer === undefined || layer.left === 0) {
      const capacity = firstCapacity * 2 ** this.#layers.length
      layer = { bits: new Uint32Array((capacity * bitsPerText) / 32), left: capacity }
      this.#layers.push(layer)
    }
    for (let n = 0; n < hashes; n++) {
      const bit = bitOf(layer.bits, one, other, n)
      layer.bits[bit >>> 5]! |= 1 << (bit & 31)
    }
    layer.left--
    return true
  }
}

function hasAll(bits: Uint32Array, one: number, other: number): boolean {
  for (let n = 0; n < hashes; n++) {
    const bit = bitOf(bits, one, other, n)
    if ((bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
  }
  return true
}

/** The number of bits is a power of two. */
function bitOf(bits: Uint32Array, one: number, other: number, n: number): number {
  return (one + n * other) & (bits.length * 32 - 1)
}

/** FNV-1a from two starts, each mixed at its end as MurmurHash3 does; the second is odd. */
function hashesOf(text: string): [number, number] {
  let one = 0x811c9dc5
  let other = 0x9e3779b9
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    one = Math.imul(one ^ unit, 0x01000193)
    other = Math.imul(other ^ unit, 0x85ebca6b)
  }
  return [mixed(one), mixed(other) | 1]
}

function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
