/** What a server is called that has been given no name: the same after each start, and another for each of a host. */
import { hostname } from 'node:os'

export function defaultNodeName(httpPort: number): string {
  const host = hostname()
    .replaceAll(/[^\w.-]/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 50)
  return `${host || 'server'}-${httpPort}`
}
