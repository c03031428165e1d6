/** An outside server that the script may ask, and that is on its side. */
import { type Attack, error, limitOrError, nothing, time, timeOrMemory } from '../attack.ts'

export const outside: readonly Attack[] = [
  {
    number: 730,
    name: 'fld-outside-never-answers',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => { await host.http('OUTSIDEsilent') }`,
    outcomes: time,
  },
  {
    number: 731,
    name: 'fld-outside-never-ends',
    manifest: `needs: { http: ['OUTSIDE'] }, timeout: '1s',`,
    callback: `async (event, host) => { await host.http('OUTSIDEendless') }`,
    outcomes: limitOrError,
  },
  {
    number: 732,
    name: 'fld-outside-many',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => { await Promise.all(Array.from({ length: 1000 }, () => host.http('OUTSIDEsilent'))) }`,
    outcomes: timeOrMemory,
  },
  {
    number: 733,
    name: 'fld-outside-leads-elsewhere',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => {
      const answer = await host.http('OUTSIDEredirect')
      if (answer.ok || answer.text.includes('ApiVersion')) console.log('ESCAPED')
    }`,
    outcomes: nothing,
  },
  {
    number: 734,
    name: 'fld-outside-odd-answers',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => {
      const { headers, text, json } = await host.http('OUTSIDEodd')
      try { json() } catch (e) { console.log(e.message) }
      if (({}).polluted !== undefined) console.log('ESCAPED')
      throw new Error(text.slice(0, 100) + Object.keys(headers).length)
    }`,
    outcomes: error,
  },
  {
    number: 735,
    name: 'fld-outside-split-headers',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => {
      await host.http('OUTSIDEodd', { headers: { a: 'b\\r\\nHost: elsewhere\\r\\n\\r\\nGET /secret HTTP/1.1' } })
      console.log('ESCAPED')
    }`,
    outcomes: error,
  },
  {
    number: 736,
    name: 'fld-outside-beside-what-is-granted',
    manifest: `needs: { http: ['OUTSIDE'] },`,
    callback: `async (event, host) => {
      const { port } = new URL('OUTSIDE')
      for (const url of ['http://127.0.0.1:' + port + '@127.0.0.1:9/', 'http://127.0.0.2:' + port + '/', 'http://localhost:' + port + '/', 'http://[::1]:' + port + '/', 'file:///etc/passwd', 'data:text/plain,x']) {
        try { await host.http(url); console.log('ESCAPED', url) } catch {}
      }
    }`,
    outcomes: nothing,
  },
]
