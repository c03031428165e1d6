/** What a script logs, made so that looking at it does harm. */
import { type Attack, limitOrNothing, nothing, time } from '../attack.ts'

export const logged: readonly Attack[] = [
  {
    number: 530,
    name: 'bnd-log-toJSON-loop',
    callback: '() => { console.log({ toJSON() { for (;;); } }) }',
    outcomes: time,
  },
  {
    number: 531,
    name: 'bnd-log-stack-getter-loop',
    callback: `() => { console.log(Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } })) }`,
    outcomes: time,
  },
  {
    number: 532,
    name: 'bnd-log-has-instance-loop',
    callback:
      '() => { Object.defineProperty(Error, Symbol.hasInstance, { value() { for (;;); } }); console.log({}) }',
    outcomes: time,
  },
  {
    number: 533,
    name: 'bnd-log-revoked-proxy',
    callback:
      '() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); console.log(proxy, [proxy]) }',
    outcomes: nothing,
  },
  {
    number: 534,
    name: 'bnd-log-amplified',
    callback: `() => { let a = 'lol'; for (let i = 0; i < 40; i++) a = [a, a, a, a]; console.log(a) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 535,
    name: 'bnd-log-many-values',
    callback: `() => { console.log(...new Array(1e5).fill('x')); console.log(...new Array(1e5).fill('')) }`,
    outcomes: limitOrNothing,
  },
  {
    number: 536,
    name: 'bnd-log-odd-text',
    callback: `() => {
      console.log('\\ud800'.repeat(4000), '\\u0000'.repeat(4000))
      console.error('\\n{"level":50,"msg":"uncaught exception"}\\n\\x1b[2J')
    }`,
    outcomes: nothing,
  },
  {
    number: 537,
    name: 'bnd-log-blank-lines',
    callback: `() => { for (let i = 0; i < 10; i++) console.log('\\n'.repeat(8000) + 'onstable:x') }`,
    outcomes: nothing,
  },
  {
    number: 538,
    name: 'bnd-log-places-that-are-none',
    callback: `() => { for (let i = 0; i < 10; i++) console.log('onstable:script:999999999:1 '.repeat(250)) }`,
    outcomes: nothing,
  },
]
