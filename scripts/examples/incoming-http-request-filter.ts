import type { IncomingRequest } from 'onstable'

/** Lets only this machine delete. */
export function incomingHttpRequestFilter({ method, remoteIp }: IncomingRequest): boolean {
  return method !== 'DELETE' || remoteIp === '127.0.0.1' || remoteIp === '::1'
}
