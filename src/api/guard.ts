/**
 * Who may ask at all: by which name the server is addressed, from which page, and with which token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Settings } from '../config.ts'
import { fault } from '../errors.ts'

type GuardSettings = Pick<Settings, 'host' | 'allowedHosts' | 'token'>

/** @throws `bad-setting` if the server would be open to others than this machine without a token */
export function refuseOpenAddress({ host, token }: GuardSettings): void {
  if (token !== undefined || isLoopback(host)) return
  throw fault(
    'bad-setting',
    `Listening on "${host}" opens the server to other machines, which needs a token: set "token" (at least 16 characters), or leave "host" at 127.0.0.1`,
  )
}

/** What a load balancer asks, which has no token and is no concern of scripts: whether the server takes anything in. */
export const openPath = '/ready'

/** The hook that runs before every request and throws `forbidden` or `unauthorized`. */
export function createGuard(settings: GuardSettings): (request: FastifyRequest) => Promise<void> {
  const names = new Set([settings.host, ...settings.allowedHosts].map((name) => name.toLowerCase()))
  const tokenHash = settings.token === undefined ? null : hash(settings.token)
  return async ({ headers, socket, url }) => {
    const host = headers.host ?? ''
    // A page that had its own name point here would still call us by that name.
    if (!isAllowedHost(host, names, socket.localAddress)) {
      throw fault(
        'forbidden',
        `Host "${host}" is not a name of this server: add it to the setting "allowedHosts"`,
      )
    }
    if (headers.origin !== undefined && !isOwnOrigin(headers.origin, host)) {
      throw fault('forbidden', `Requests from pages of another origin ("${headers.origin}") are refused`)
    }
    if (tokenHash !== null && url !== openPath && !hasToken(headers.authorization, tokenHash)) {
      throw fault('unauthorized', 'Expected the header "Authorization: Bearer" with the configured token')
    }
  }
}

function isAllowedHost(host: string, names: ReadonlySet<string>, localAddress: string | undefined): boolean {
  const withPort = host.toLowerCase()
  const name = withPort.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (isLoopback(name) || names.has(name) || names.has(withPort)) return true
  return isIP(name) !== 0 && name === localAddress?.replace(/^::ffff:/, '')
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

function isOwnOrigin(origin: string, host: string): boolean {
  const own = origin.toLowerCase()
  return own === `http://${host.toLowerCase()}` || own === `https://${host.toLowerCase()}`
}

function hasToken(authorization: string | undefined, expected: Buffer): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  return given !== undefined && timingSafeEqual(hash(given), expected)
}

/** Of equal length for every token, so that the comparison takes the same time for all. */
function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
