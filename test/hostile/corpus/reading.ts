/** Attempts to read what a script was not given: files, the environment, routes, the memory of others. */
import { type Attack, error, nothing, refused } from '../attack.ts'

export const readings: readonly Attack[] = [
  {
    number: 608,
    name: 'esc-import-node',
    top: `import { readFileSync } from 'node:fs'`,
    callback: '() => { readFileSync }',
    outcomes: refused,
  },
  { number: 609, name: 'esc-require-node', callback: `() => require('child_process')`, outcomes: refused },
  {
    number: 610,
    name: 'esc-import-dynamic-node',
    callback: `() => import('worker_threads')`,
    outcomes: refused,
  },
  {
    number: 611,
    name: 'esc-import-canary',
    top: `import text from '../data/canary.txt'`,
    callback: '() => console.log(text)',
    outcomes: refused,
  },
  {
    number: 612,
    name: 'esc-import-canary-asset',
    top: `import text from '../data/canary.txt?raw'; import other from '../data/canary.txt#x'`,
    callback: '() => console.log(text, other)',
    outcomes: refused,
  },
  {
    number: 613,
    name: 'esc-import-machine',
    top: `import text from '/etc/hostname.txt'; import other from '/proc/self/environ'`,
    callback: '() => console.log(text, other)',
    outcomes: refused,
  },
  { number: 614, name: 'esc-import-url', top: `import 'http://127.0.0.1:9/x.js'`, outcomes: refused },
  {
    number: 615,
    name: 'esc-import-glob',
    callback: "(event) => import('../data/' + event.id + '.txt')",
    outcomes: ['refused', 'threw'],
  },
  {
    number: 616,
    name: 'esc-import-data-url',
    top: `import own from 'data:text/javascript,export default typeof process'`,
    callback: `() => { if (own !== 'undefined') console.log('ESCAPED', own) }`,
    outcomes: ['ok', 'refused'],
  },
  {
    number: 617,
    name: 'esc-import-package-up',
    top: `import '../node_modules/better-sqlite3/package.json'`,
    outcomes: refused,
  },
  {
    number: 618,
    name: 'esc-source-map-of-a-file',
    top: `//# source${'Mapping'}URL=../data/canary.txt`,
    callback: `() => { throw new Error('x') }`,
    outcomes: error,
  },
  {
    number: 619,
    name: 'esc-source-map-of-its-own',
    callback: `() => { throw new Error('x') }
//# source${'Mapping'}URL=data:application/json,{"version":3,"sources":["../data/canary.txt","file:///etc/passwd"],"names":[],"mappings":"AAAA;ACAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA;AAAA"}
`,
    outcomes: error,
  },
  {
    number: 620,
    name: 'esc-paths-of-the-server',
    callback: `async (event, host) => {
      const paths = ['/scripts', '/runs', '/backlog', '/windows', '/', '/metrics', '/tools/shutdown', '/../../etc/passwd', '//etc/passwd', '/system/../scripts', '/studies/../runs',
        '/system%2f..%2fscripts', '/studies/..%2f..%2fruns', '/system?x=/../runs', '/instances/x/../../runs', '/system#/runs', 'http://127.0.0.1/runs', '/system\\r\\nGET /runs', '/\\\\runs', '/system/%2e%2e/runs']
      for (const path of paths) {
        const answer = await host.get(path).catch((e) => e)
        if (Array.isArray(answer) || (answer && !(answer instanceof Error) && answer.ApiVersion === undefined)) console.log('ESCAPED', path, answer)
      }
    }`,
    outcomes: nothing,
  },
  {
    number: 621,
    name: 'esc-memory-of-others',
    callback: `async (event, host) => {
      for (const key of ['secret', 'bystander.ts/secret', '../bystander.ts/secret', 'bystander.ts\\u0000secret', "secret' or '1'='1"]) {
        const value = await host.kv.get(key).catch((error) => { if (error.code !== 'bad-host-call') throw error; return null }); if (value !== null) console.log('ESCAPED', value)
      }
      const all = JSON.stringify([await host.kv.list(), await host.kv.list('secret'), await host.kv.list('%')])
      if (all.includes('secret')) console.log('ESCAPED', all)
    }`,
    outcomes: nothing,
  },
  {
    number: 622,
    name: 'esc-what-is-not-granted',
    callback: `async (event, host) => {
      for (const ask of [() => host.http('http://127.0.0.1:9/'), () => host.http('http://localhost/'), () => host.http('https://example.org/'), () => host.send(event, 'ANY'), () => host.send({ level: 'Study', id: 'x' }, '__proto__')])
        try { console.log('ESCAPED', await ask()) } catch (e) { console.log(e.code) }
    }`,
    outcomes: nothing,
  },
  {
    number: 627,
    name: 'esc-source-map-of-the-environment',
    top: `//# source${'Mapping'}URL=/proc/self/environ`,
    callback: `() => { throw new Error('x') }`,
    outcomes: error,
  },
]
