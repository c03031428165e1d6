/** Where the programs of the system are: what the server starts is not looked for in a path that others can set. */
import { existsSync } from 'node:fs'

const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']

/** Whole path of a program of the system; null: there is none of that name. */
export function programFile(name: string): string | null {
  for (const folder of folders) if (existsSync(`${folder}/${name}`)) return `${folder}/${name}`
  return null
}
