/** Durations as people write them. */

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `'30s'` → 30000. Null if the text is not a whole or decimal number followed by ms, s, m, h or d. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  return match === null ? null : Number(match[1]) * unitMs[match[2]!]!
}
