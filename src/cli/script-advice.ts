/** What to say when nothing was found of a script: its name may be mistyped. */
import { z } from 'zod'
import { meant } from '../lib/nearest.ts'
import type { RestClient } from './client.ts'

const scripts = z.array(z.object({ name: z.string() }))

/** @returns nothing if the script is there, or none was named */
export async function adviceOn(client: RestClient, script: string | undefined): Promise<string> {
  if (script === undefined) return ''
  const names = scripts.parse(await client.get('/scripts')).map(({ name }) => name)
  if (names.includes(script)) return ''
  const known = names.length === 0 ? '' : `: ${meant(script, names)}`
  return `, and there is no script "${script}"${known}`
}
