/**
 * What a script may do: what it declares in `script.needs` and an administrator has granted in the settings.
 */
import type { Settings } from '../config.ts'
import { fault } from '../errors.ts'

/** Names of modalities, and origins with a path prefix. */
export type Needs = Readonly<Record<'send' | 'http', readonly string[]>>

/**
 * Compares needs with grants, and with what there is.
 * @returns which need is not granted, and the lines that grant it, or which modality nobody knows; null if all is well
 */
export function missingGrants(
  { grants, modalities }: Pick<Settings, 'grants' | 'modalities'>,
  script: string,
  needs: Needs,
): string | null {
  const granted = grants[script] ?? { send: [], http: [] }
  const send = needs.send.filter((modality) => !granted.send.includes(modality))
  const http = needs.http.filter((need) => !granted.http.some((prefix) => covers(prefix, need)))
  if (send.length + http.length === 0) return unknownModality(needs.send, Object.keys(modalities))
  const what = [
    ...send.map((modality) => `send to "${modality}"`),
    ...http.map((prefix) => `http to "${prefix}"`),
  ]
  const wanted = { send: [...granted.send, ...send], http: [...granted.http, ...http] }
  return `The script needs what it is not granted: ${what.join(', ')}. ${howToGrant(script, wanted)}`
}

function unknownModality(needed: readonly string[], known: readonly string[]): string | null {
  const name = needed.find((each) => !known.includes(each))
  if (name === undefined) return null
  const lines = JSON.stringify({ modalities: { [name]: { aet: name, host: '192.0.2.1', port: 104 } } })
  return `The script sends to "${name}", which is no modality of the settings. Put it into onstable.json, with its own address, and start the server again: ${lines}`
}

export interface Permissions {
  /** @throws `not-granted`, saying which need is missing where */
  send(modality: string): void
  /** @throws `not-granted`; `bad-host-call` for an address with a user name in it */
  http(url: URL): void
}

/** The permissions of one script, asked at every call. */
export function permissionsOf(settings: Pick<Settings, 'grants'>, script: string, needs: Needs): Permissions {
  const granted = settings.grants[script] ?? { send: [], http: [] }
  const refuse = (kind: 'send' | 'http', target: string, is: { declared: boolean; granted: boolean }) => {
    const declare = `To allow it, declare it in the script: "needs: { ${kind}: ['${target}'] }"`
    const grant = howToGrant(script, { ...granted, [kind]: [...granted[kind], target] })
    const advice = [...(is.declared ? [] : [declare]), ...(is.granted ? [] : [grant])].join('. ')
    throw fault('not-granted', `Script "${script}" may not ${kind} to "${target}". ${advice}`)
  }
  return {
    send(modality) {
      const is = { declared: needs.send.includes(modality), granted: granted.send.includes(modality) }
      if (!is.declared || !is.granted) refuse('send', modality, is)
    },
    http(url) {
      if (url.username !== '' || url.password !== '') {
        throw fault(
          'bad-host-call',
          'host.http: the address has a user name or a password: send them in the header "Authorization"',
        )
      }
      const isIn = (prefixes: readonly string[]) => prefixes.some((prefix) => covers(prefix, url.href))
      const is = { declared: isIn(needs.http), granted: isIn(granted.http) }
      if (!is.declared || !is.granted) refuse('http', `${url.origin}/`, is)
    },
  }
}

/** Whether a URL has the origin of a prefix and a path that continues the prefix at a slash. */
export function covers(prefix: string, url: string): boolean {
  if (!URL.canParse(prefix) || !URL.canParse(url)) return false
  const allowed = new URL(prefix)
  const asked = new URL(url)
  if (asked.username !== '' || asked.password !== '' || asked.origin !== allowed.origin) return false
  if (allowed.pathname === '/') return true
  // Some servers see a way up where the URL standard sees none: encoded slashes, and `..;`.
  if (/%2f|%5c|\/(\.|%2e)+;/i.test(asked.pathname)) return false
  const folder = allowed.pathname.endsWith('/') ? allowed.pathname : `${allowed.pathname}/`
  return asked.pathname === allowed.pathname || asked.pathname.startsWith(folder)
}

function howToGrant(script: string, wanted: Needs): string {
  const lines = JSON.stringify({ grants: { [script]: wanted } })
  return `To grant it, put this into onstable.json and start the server again: ${lines}`
}
