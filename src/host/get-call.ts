/**
 * `host.get`: reads one of the server's own resource routes.
 */
import { fault } from '../errors.ts'

/** Asks the REST face for a path with `GET`; the body is JSON text, or empty if it is not JSON. */
export type GetRoute = (path: string) => Promise<{ readonly status: number; readonly body: string }>

const routes = ['patients', 'studies', 'series', 'instances', 'changes', 'statistics', 'system']
const readable = new RegExp(String.raw`^/(${routes.join('|')})(/[\w,-]+)*/?$`)

/**
 * @returns the JSON text that the route answers; `null` if what it names is not there
 * @throws `bad-host-call` for any other route
 */
export async function getResource(path: string, get: GetRoute): Promise<string> {
  const pathname = path.replace(/\?.*$/s, '')
  if (!readable.test(pathname)) {
    throw fault(
      'bad-host-call',
      `host.get does not read "${pathname}": expected a path below /${routes.join(', /')}`,
    )
  }
  const { status, body } = await get(path)
  if (status === 404) return 'null'
  if (status !== 200)
    throw fault('bad-host-call', `host.get: "${pathname}" was answered with status ${status}`)
  if (body === '')
    throw fault('bad-host-call', `host.get: "${pathname}" is not JSON, and only that can be read`)
  return body
}
