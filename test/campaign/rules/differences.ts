/** Servers that share a store show the same. */
import type { TestServer } from '../../support/server.ts'
import { readRest } from '../observe-rest.ts'

export async function differencesOf(servers: readonly TestServer[]): Promise<string[]> {
  const [first, ...others] = await Promise.all(servers.map(({ url }) => readRest(url)))
  return others.flatMap((other, at) => {
    const parts = ['changes', 'parents', 'instances'] as const
    const differing = parts.filter((part) => shownAs(other[part]) !== shownAs(first![part]))
    return differing.map((part) => `Server ${at + 2} shows other ${part} than the first`)
  })
}

const shownAs = (part: unknown): string => JSON.stringify(part instanceof Map ? [...part].sort() : part)
