/**
 * Attacks by what is done before or after any run: compiling, the top level, the manifest, the exports,
 * `initialize` and `finalize`.
 */
import { type Attack, error, nothing, refused, time } from '../attack.ts'

/** A CommonJS file, whose exports may be anything. */
const commonJs = (number: number, exported: string) => () =>
  `
const say = console.log
const script = { retry: { attempts: 1 }, timeout: '500ms', memoryMb: 32 }
const harmless = () => say('harmless ${number}')
const own = { script, onNewPatient: harmless, onNewSeries: harmless, onNewStudy: harmless, onStoredInstance: harmless }
module.exports = ${exported}
`

const onlyManifest = (number: number, manifest: string) => () =>
  `
export const script = ${manifest}
export const onStoredInstance = () => console.log('harmless ${number}')
`

export const loading: readonly Attack[] = [
  { number: 3, name: 'cpu-infinite-loop-toplevel', top: 'for (;;);', outcomes: refused },
  {
    number: 801,
    name: 'top-memory',
    top: 'const k = []; for (;;) k.push(new Array(1e6).fill(1.5))',
    outcomes: refused,
  },
  {
    number: 802,
    name: 'top-wedge',
    top: 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    outcomes: refused,
  },
  { number: 803, name: 'top-recursion', top: 'const f = () => f(); f()', outcomes: refused },
  { number: 804, name: 'top-microtasks', top: '(async () => { for (;;) await 0 })()', outcomes: refused },
  {
    number: 805,
    name: 'top-throws-proxy',
    top: 'throw new Proxy(new Error(), { get() { for (;;); } })',
    outcomes: refused,
  },
  {
    number: 806,
    name: 'top-keeps-memory-and-throws',
    top: `globalThis.kept = Array.from({ length: 15 }, () => new Array(1e6).fill(1.5)); throw new Error('x')`,
    outcomes: refused,
  },
  {
    number: 807,
    name: 'top-map',
    top: 'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })',
    outcomes: refused,
  },
  {
    number: 808,
    name: 'top-stray-rejection',
    top: `Promise.reject(new Error('stray'))`,
    outcomes: refused,
  },
  { number: 809, name: 'top-await', top: 'await new Promise(() => {})', outcomes: refused },

  // The manifest.
  {
    number: 810,
    name: 'man-getter-loop',
    file: onlyManifest(810, '{ get timeout() { for (;;); } }'),
    outcomes: refused,
  },
  {
    number: 811,
    name: 'man-toJSON-loop',
    file: onlyManifest(811, '{ toJSON() { for (;;); } }'),
    outcomes: refused,
  },
  {
    number: 812,
    name: 'man-huge',
    file: onlyManifest(812, `Object.fromEntries(Array.from({ length: 1e6 }, (_, i) => ['k' + i, i]))`),
    outcomes: refused,
  },
  {
    number: 813,
    name: 'man-long-names',
    file: onlyManifest(813, `{ ['k'.repeat(60000)]: 1, timeout: '1'.repeat(3000) }`),
    outcomes: refused,
  },
  {
    number: 814,
    name: 'man-deep',
    file: onlyManifest(
      814,
      `(() => { let a = {}; for (let i = 0; i < 3000; i++) a = { a }; return { needs: a } })()`,
    ),
    outcomes: refused,
  },
  {
    number: 815,
    name: 'man-absurd-limits',
    file: onlyManifest(815, `{ retry: { attempts: 1e9 }, timeout: '999999h', memoryMb: 1e9 }`),
    outcomes: refused,
  },
  {
    number: 816,
    name: 'man-not-granted',
    file: onlyManifest(816, `{ needs: { http: ['http://127.0.0.1:9/'] } }`),
    outcomes: refused,
  },
  {
    number: 817,
    name: 'man-proto',
    file: onlyManifest(
      817,
      `JSON.parse('{"__proto__":{"memoryMb":1000000},"constructor":{"prototype":{"polluted":1}}}')`,
    ),
    outcomes: refused,
  },
  {
    number: 818,
    name: 'man-proxy-loop',
    file: onlyManifest(818, 'new Proxy({}, { ownKeys() { for (;;); } })'),
    outcomes: refused,
  },

  // The exports.
  {
    number: 820,
    name: 'exp-proxy-loop',
    file: commonJs(820, 'new Proxy(own, { get() { for (;;); } })'),
    outcomes: refused,
  },
  {
    number: 821,
    name: 'exp-another-function-each-time',
    file: commonJs(821, '{ ...own, get onNewSeries() { return () => { for (;;); } } }'),
    outcomes: time,
  },
  {
    number: 822,
    name: 'exp-a-function-only-when-looked-at',
    file: commonJs(
      822,
      '{ ...own, get onNewSeries() { this.looks = (this.looks ?? 0) + 1; return this.looks > 1 ? 1 : harmless } }',
    ),
    outcomes: error,
  },
  {
    number: 823,
    name: 'exp-getter-loop-in-the-run',
    file: commonJs(
      823,
      '{ ...own, get onNewSeries() { this.looks = (this.looks ?? 0) + 1; if (this.looks > 1) for (;;); return harmless } }',
    ),
    outcomes: time,
  },
  {
    number: 824,
    name: 'exp-too-many',
    file: commonJs(824, `Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => ['f' + i, harmless]))`),
    outcomes: refused,
  },
  {
    number: 825,
    name: 'exp-many-misspelt',
    file: commonJs(825, `Object.fromEntries(Array.from({ length: 5000 }, (_, i) => ['x' + i, harmless]))`),
    outcomes: refused,
  },
  {
    number: 826,
    name: 'exp-a-name-that-is-a-pattern',
    file: () => `
      // export ${'a'.repeat(60)}
      const harmless = () => {}
      export { harmless as 'on|(a+)+b' }
    `,
    outcomes: refused,
  },
  {
    number: 827,
    name: 'exp-a-line-of-exports',
    file: () => `/* ${'export '.repeat(300_000)} */\nexport const onStableStudies = () => {}\n`,
    outcomes: refused,
  },
  {
    number: 828,
    name: 'exp-exchanged-in-a-microtask',
    top: `Promise.resolve().then(() => { __exports = new Proxy({}, { get() { for (;;); }, ownKeys() { for (;;); } }) })`,
    outcomes: refused,
  },
  {
    number: 829,
    name: 'exp-toJSON-of-arrays',
    top: `Array.prototype.toJSON = () => [1, {}]`,
    outcomes: refused,
  },
  {
    number: 830,
    name: 'exp-toJSON-of-objects',
    top: `Object.prototype.toJSON = () => ({ functions: 1, manifest: { memoryMb: 1e9 } })`,
    outcomes: refused,
  },
  { number: 831, name: 'exp-none', file: () => `for (const x of []) x // ${'none'}`, outcomes: refused },

  // `initialize` and `finalize`.
  {
    number: 840,
    name: 'ini-never-settles',
    top: 'export const initialize = () => new Promise(() => {})',
    outcomes: refused,
  },
  { number: 841, name: 'ini-spins', top: 'export const initialize = () => { for (;;); }', outcomes: refused },
  {
    number: 842,
    name: 'ini-memory',
    top: 'export const initialize = () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }',
    outcomes: refused,
  },
  {
    number: 843,
    name: 'ini-wedge',
    top: 'export const initialize = () => { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }',
    outcomes: refused,
  },
  {
    number: 844,
    name: 'ini-throws-proxy',
    top: 'export const initialize = async () => { await 0; throw new Proxy(new Error(), { get() { for (;;); } }) }',
    outcomes: refused,
  },
  {
    number: 845,
    name: 'ini-asks-the-host',
    top: `export const initialize = async (host) => { await host.kv.set('a', 1) }`,
    outcomes: refused,
  },
  {
    number: 846,
    name: 'ini-logs-for-ever',
    top: `export const initialize = () => { for (;;) console.log('x'.repeat(1e4)) }`,
    outcomes: refused,
  },
  {
    number: 847,
    name: 'ini-leaves-timers',
    top: 'export const initialize = () => { for (let i = 0; i < 200; i++) setTimeout(() => { for (;;); }, 20) }',
    outcomes: nothing,
  },
  {
    number: 848,
    name: 'ini-keeps-memory-and-throws',
    top: `export const initialize = () => { globalThis.kept = new Array(2e6).fill(1.5); throw new Error('x') }`,
    manifest: 'memoryMb: 256,',
    outcomes: refused,
  },
  {
    number: 850,
    name: 'fin-never-settles',
    top: 'export const finalize = () => new Promise(() => {})',
    isReplaced: true,
    outcomes: nothing,
  },
  {
    number: 851,
    name: 'fin-spins',
    top: 'export const finalize = () => { for (;;); }',
    isReplaced: true,
    outcomes: nothing,
  },
  {
    number: 852,
    name: 'fin-memory',
    top: 'export const finalize = () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) }',
    isReplaced: true,
    outcomes: nothing,
  },
  {
    number: 853,
    name: 'fin-wedge',
    top: 'export const finalize = () => { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }',
    isReplaced: true,
    outcomes: nothing,
  },
  {
    number: 854,
    name: 'fin-throws-proxy',
    top: 'export const finalize = async () => { await 0; throw new Proxy(new Error(), { get() { for (;;); } }) }',
    isReplaced: true,
    outcomes: nothing,
  },

  // What compiles it.
  {
    number: 860,
    name: 'src-code-too-large',
    file: () => `globalThis.x = '${'x'.repeat(5e6)}'\nexport const onNewSeries = () => {}\n`,
    outcomes: refused,
  },
  {
    number: 861,
    name: 'src-large-and-throws',
    callback: `() => { throw new Error('x') }`,
    top: Array.from({ length: 60_000 }, (_, index) => `globalThis.a${index} = [${index}, 'b']`).join('\n'),
    manifest: `memoryMb: 256, timeout: '3s',`,
    outcomes: error,
  },
  {
    number: 862,
    name: 'src-nested-a-million-deep',
    top: `globalThis.nested = ${'['.repeat(1e6)}${']'.repeat(1e6)}`,
    outcomes: refused,
  },
  {
    number: 863,
    name: 'src-nested-ten-thousand-deep',
    top: `globalThis.nested = ${'['.repeat(1e4)}${']'.repeat(1e4)}`,
    outcomes: refused,
  },
  {
    number: 864,
    name: 'src-enum-that-doubles',
    top: `enum E { A0 = 'aaaaaaaa', ${Array.from({ length: 27 }, (_, index) => `A${index + 1} = A${index} + A${index}`).join()} }`,
    outcomes: refused,
  },
  { number: 865, name: 'src-large-comment', top: `/* ${'x'.repeat(5e7)} */`, outcomes: refused },
  { number: 866, name: 'src-control-characters', top: `/* ${'\u0001'.repeat(9.2e7)} */`, outcomes: refused },
  {
    number: 867,
    name: 'src-no-text',
    file: () => `\u0000\ufffd\ud800${'\u0000'.repeat(1000)}`,
    outcomes: refused,
  },
]
