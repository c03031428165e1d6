/** The addresses for which a granted name may stand. */
import { expect, test } from 'vitest'
import { isAllowedAddress, lookupAllowed } from '../../src/host/lookup.ts'

test('addresses under which clouds hand out secrets stand for no name', () => {
  const refused = ['169.254.169.254', '169.254.0.1', '0.0.0.0', '100.100.100.200']
  const refusedToo = ['fe80::1', 'fd00:ec2::254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe']
  expect(refused.filter((address) => isAllowedAddress(address, 4))).toEqual([])
  expect(refusedToo.filter((address) => isAllowedAddress(address, 6))).toEqual([])
  expect(['127.0.0.1', '10.0.0.1', '192.0.2.1'].every((address) => isAllowedAddress(address, 4))).toBe(true)
  expect(['::1', '2001:db8::1'].every((address) => isAllowedAddress(address, 6))).toBe(true)
})

test('a name that resolves to such an address is refused with that address', async () => {
  const resolve = (name: string, all: boolean) =>
    new Promise((done) => {
      lookupAllowed(name, { all }, (error, address) => done(error === null ? address : error.message))
    })
  expect(await resolve('169.254.169.254', true)).toBe(
    '"169.254.169.254" stands for 169.254.169.254, which only a grant of that address allows',
  )
  expect(await resolve('127.0.0.1', false)).toBe('127.0.0.1')
  expect(await resolve('127.0.0.1', true)).toEqual([{ address: '127.0.0.1', family: 4 }])
  expect(await resolve('no.such.name.invalid', true)).toMatch(/no\.such\.name\.invalid/)
})
