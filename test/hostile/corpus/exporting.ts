/** Manifests and exports that lie, change, or harm who looks at them. */
import { type Attack, error, refused, time } from '../attack.ts'

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

export const exporting: readonly Attack[] = [
  {
    number: 810,
    name: 'man-getter-loop',
    file: onlyManifest(810, '{ get timeout() { for (;;); } }'),
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
]
