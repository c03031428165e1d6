/** The word that was probably meant. */

/** The candidate with the smallest edit distance to `word`, ignoring case. */
export function nearest(word: string, candidates: readonly string[]): string {
  let best = candidates[0] ?? ''
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** So many words are told where none is near. */
const mostTold = 12

/** `did you mean "limit"?`, or which words there are, where none of them is like it. Of none nothing. */
export function meant(word: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return ''
  const best = nearest(word, candidates)
  const isNear =
    best.startsWith(word) ||
    editDistance(word.toLowerCase(), best.toLowerCase()) <= Math.max(word.length, best.length) / 2
  if (isNear) return `did you mean "${best}"?`
  const told = candidates.slice(0, mostTold).map((each) => `"${each}"`)
  return `there ${told.length === 1 ? 'is' : 'are'} ${told.join(', ')}${candidates.length > mostTold ? ' …' : ''}`
}

/** Levenshtein's distance. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const substitution = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution))
    }
    row = next
  }
  return row[to.length]!
}
